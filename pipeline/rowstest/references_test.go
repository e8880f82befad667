package rowstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"stripeline/pipeline"
	"stripeline/schemas/client"
)

// flightSchema uses types of other subjects.
const (
	flightSchema  = `{"type":"record","name":"Flight","namespace":"com.acme","fields":[{"name":"from","type":"Airport"},{"name":"cabin","type":"Cabin"}]}`
	airportSchema = `{"type":"record","name":"Airport","namespace":"com.acme","fields":[{"name":"code","type":"string"}]}`
	cabinSchema   = `{"type":"enum","name":"Cabin","namespace":"com.acme","symbols":["FIRST","ECONOMY"]}`
	cabinKey      = `{"type":"record","name":"CabinKey","namespace":"com.acme","fields":[{"name":"cabin","type":"Cabin"}]}`
	flightRows    = "from.code,cabin\nEWR,FIRST\nJFK,ECONOMY\n"
)

func TestTypesOfOtherSubjectsAreReferencedByVersionAndAsTheLatest(t *testing.T) {
	d := newDesk(t)
	airport, cabin := "airport-"+d.topic, "cabin-"+d.topic
	for subject, text := range map[string]string{airport: airportSchema, cabin: cabinSchema} {
		_, err := d.registry.Register(t.Context(), subject, client.Schema{Text: text})
		d.must(err)
	}
	value, key := pipeline.ValueSubject(d.topic), pipeline.KeySubject(d.topic)
	produce := func(version int) *pipeline.ProduceCSV {
		p := d.csv(flightRows)
		p.Register = schemaFile(flightSchema, client.Reference{Name: "com.acme.Airport", Subject: airport, Version: version},
			client.Reference{Name: "com.acme.Cabin", Subject: cabin, Version: 1})
		p.Key = []string{"cabin"}
		p.AvroKey = &pipeline.AvroKey{Pin: pipeline.Pin{Subject: key},
			Register: schemaFile(cabinKey, client.Reference{Name: "com.acme.Cabin", Subject: cabin, Version: version})}
		return p
	}
	d.sent(produce(pipeline.Latest))
	d.sent(produce(1))
	d.versions(value, 1)
	d.versions(key, 1)
	plain := d.csv(flightRows) // what is registered says its references itself
	plain.Key, plain.AvroKey = []string{"cabin"}, &pipeline.AvroKey{}
	d.sent(plain)
	var said struct{ References []client.Reference }
	d.held(value, "/versions/latest", &said)
	slices.SortFunc(said.References, func(a, b client.Reference) int { return strings.Compare(a.Name, b.Name) })
	want := []client.Reference{{Name: "com.acme.Airport", Subject: airport, Version: 1}, {Name: "com.acme.Cabin", Subject: cabin, Version: 1}}
	if !slices.Equal(said.References, want) {
		t.Errorf("references are %+v, want %+v", said.References, want)
	}
	d.wantIDs(map[[2]int]int{{d.idOf(key, 1), d.idOf(value, 1)}: 6})
	out := d.printed(d.topic, asJSON)
	if strings.Count(out, `{"from":{"code":"EWR"},"cabin":"FIRST"}`) != 3 || strings.Count(out, `{"from":{"code":"JFK"},"cabin":"ECONOMY"}`) != 3 {
		t.Errorf("consume prints\n%s", out)
	}
	first, second := `[{"cabin":"FIRST"},{"from":{"code":"EWR"},"cabin":"FIRST"}]`, `[{"cabin":"ECONOMY"},{"from":{"code":"JFK"},"cabin":"ECONOMY"}]`
	d.decoded(d.topic, first, first, first, second, second, second)
	wrong := d.csv(flightRows)
	wrong.Register = schemaFile(strings.Replace(flightSchema, `"type":"Cabin"`, `"type":"long"`, 1), produce(1).Register.References...)
	var refused *pipeline.Incompatible
	if _, err := wrong.Run(t.Context()); !errors.As(err, &refused) || len(refused.Messages) == 0 {
		t.Errorf("%v", err)
	}
	wider := produce(1)
	wider.Register.Text = strings.Replace(flightSchema, `[{`, `[{"name":"gate","type":"string","default":""},{`, 1)
	d.sent(wider)
	d.versions(value, 1, 2)
}

func TestSubjectsAreNamedByEachStrategy(t *testing.T) {
	for _, c := range []struct{ strategy, value, key string }{
		{"topic", "T-value", "T-key"}, {"record", "NS.Seat", "NS.SeatKey"}, {"topic-record", "T-NS.Seat", "T-NS.SeatKey"},
	} {
		t.Run(c.strategy, func(t *testing.T) {
			d := newDesk(t)
			space := "ns." + strings.ReplaceAll(d.topic, "-", "_")
			name := strings.NewReplacer("T", d.topic, "NS", space)
			value := strings.Replace(seatSchema(""), "com.acme", space, 1)
			key := fmt.Sprintf(`{"type":"record","name":"SeatKey","namespace":%q,"fields":[{"name":"id","type":"long"}]}`, space)
			strategy := pipeline.SubjectStrategy(c.strategy)
			p := d.csv(seatRows)
			valueSubject, err := strategy.ValueSubject(d.topic, recordName(d, value))
			d.must(err)
			keySubject, err := strategy.KeySubject(d.topic, recordName(d, key))
			d.must(err)
			if valueSubject != name.Replace(c.value) || keySubject != name.Replace(c.key) {
				t.Errorf("subjects %s and %s", valueSubject, keySubject)
			}
			p.Pin.Subject, p.Register, p.Key = valueSubject, schemaFile(value), []string{"id"}
			p.AvroKey = &pipeline.AvroKey{Pin: pipeline.Pin{Subject: keySubject}, Register: schemaFile(key)}
			d.sent(p)
			d.wantIDs(map[[2]int]int{{d.idOf(name.Replace(c.key), 1), d.idOf(name.Replace(c.value), 1)}: 2})
			d.decoded(d.topic, `[{"id":1},{"id":1,"name":"ann","fare":2.5}]`, `[{"id":2},{"id":2,"name":"b,ob","fare":null}]`)
		})
	}
}

func recordName(d *desk, text string) string {
	d.t.Helper()
	name, err := client.RecordName(text)
	d.must(err)
	return name
}
