package rowstest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
	"stripeline/schemas/client"
)

// desk is a stack with a topic for the rows of one test, and what is said of its subjects by plain HTTP, past our own client.
type desk struct {
	*stack
	topic string
}

func newDesk(t *testing.T) *desk {
	s := newStack(t)
	d := &desk{stack: s, topic: brokertest.Topic(t, s.cluster, 2)}
	for _, subject := range []string{pipeline.ValueSubject(d.topic), pipeline.KeySubject(d.topic)} {
		s.must(s.registry.SetCompatibility(t.Context(), subject, "BACKWARD"))
	}
	return d
}

// seatSchema is of rows such as "1,ann,2.5"; add stands between the fields.
func seatSchema(add string) string {
	return `{"type":"record","name":"Seat","namespace":"com.acme","fields":[
 {"name":"id","type":"long"},{"name":"name","type":"string"},` + add + `{"name":"fare","type":["null","double"],"default":null}]}`
}

const (
	seatRows  = "id,name,fare\n1,ann,2.5\n2,\"b,ob\",\n"
	classed   = `{"name":"class","type":"string","default":"Y"},`
	unclassed = `{"name":"class","type":"string"},`
)

func schemaFile(text string, references ...client.Reference) *pipeline.SchemaFile {
	return &pipeline.SchemaFile{Name: "seat.avsc", Text: text, References: references}
}

// csv produces a text under the values' own subject.
func (d *desk) csv(text string) *pipeline.ProduceCSV {
	return &pipeline.ProduceCSV{
		Production: pipeline.Production{Cluster: d.cluster, Files: []string{write(d.t, "in.csv", []byte(text))}, Topic: d.topic},
		Registry:   d.registry, Writer: d.registry, Pin: pipeline.Pin{Subject: pipeline.ValueSubject(d.topic)},
	}
}

// sent runs a production whose rows all fit.
func (d *desk) sent(p *pipeline.ProduceCSV) pipeline.RowSummary {
	d.t.Helper()
	s, err := p.Run(d.t.Context())
	d.must(err)
	if s.Acked == 0 || s.Rejects > 0 || !s.Finished {
		d.t.Fatalf("%+v", s)
	}
	return s
}

// held is what the registry says at a path below /subjects/<subject>.
func (d *desk) held(subject, path string, into any) {
	d.t.Helper()
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.registryURL+"/subjects/"+url.PathEscape(subject)+path, nil)
	d.must(err)
	res, err := web.Do(req)
	d.must(err)
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != http.StatusOK {
		d.t.Fatalf("GET %s: %s %v", req.URL, res.Status, err)
	}
}

// idOf is the id of a version of a subject; 0 is the latest.
func (d *desk) idOf(subject string, version int) int {
	d.t.Helper()
	var said struct{ ID, Version int }
	at := "latest"
	if version > 0 {
		at = fmt.Sprint(version)
	}
	if d.held(subject, "/versions/"+at, &said); said.ID == 0 || version > 0 && said.Version != version {
		d.t.Fatalf("version %s of %s: %+v", at, subject, said)
	}
	return said.ID
}

func (d *desk) versions(subject string, want ...int) {
	d.t.Helper()
	var got []int
	if d.held(subject, "/versions", &got); !slices.Equal(got, want) {
		d.t.Errorf("subject %s has versions %v, want %v", subject, got, want)
	}
}

// ids gives for each pair of schema ids that stand before keys (0: no key) and values how many records have it.
func (d *desk) ids() map[[2]int]int {
	d.t.Helper()
	seen := map[[2]int]int{}
	d.each(d.topic, func(r *kgo.Record) {
		pair := [2]int{0, int(binary.BigEndian.Uint32(r.Value[1:5]))}
		if r.Key != nil {
			pair[0] = int(binary.BigEndian.Uint32(r.Key[1:5]))
		}
		if r.Value[0] != 0 || r.Key != nil && r.Key[0] != 0 {
			d.t.Errorf("key % x and value % x have no registry header", r.Key, r.Value)
		}
		seen[pair]++
	})
	return seen
}

// wantValueIDs is wantIDs of a topic whose keys are not Avro.
func (d *desk) wantValueIDs(topic string, want map[int]int) {
	d.t.Helper()
	got := map[int]int{}
	d.each(topic, func(r *kgo.Record) { got[int(binary.BigEndian.Uint32(r.Value[1:5]))]++ })
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.t.Errorf("records by the ids of values: %v, want %v", got, want)
	}
}

func (d *desk) wantIDs(want map[[2]int]int) {
	d.t.Helper()
	if got := d.ids(); fmt.Sprint(got) != fmt.Sprint(want) {
		d.t.Errorf("records by the ids of key and value: %v, want %v", got, want)
	}
}

// printed is what consume prints, its lines sorted.
func (d *desk) printed(topic string, print pipeline.PrintOptions) string {
	d.t.Helper()
	var out bytes.Buffer
	c := pipeline.Consume{Cluster: d.cluster, Registry: d.registry, Topic: topic, Print: print, Out: &out}
	_, err := c.Run(d.t.Context())
	d.must(err)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// decoded compares what Confluent's deserializers read with the lines wanted.
func (d *desk) decoded(topic string, want ...string) {
	d.t.Run("python", func(t *testing.T) {
		said := python(t, "decode.py", d.config.Brokers[0], d.registryURL, topic)
		slices.Sort(want)
		if got := strings.TrimSpace(said); got != strings.Join(want, "\n") {
			t.Errorf("Python reads\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	})
}

var asJSON = pipeline.PrintOptions{Format: "json"}

func TestSchemasAreRegisteredForValuesAndKeysAndStandBeforeThem(t *testing.T) {
	d := newDesk(t)
	value, key := pipeline.ValueSubject(d.topic), pipeline.KeySubject(d.topic)
	for range 2 { // the second time everything is there
		p := d.csv(seatRows)
		p.Register, p.Key = schemaFile(seatSchema("")), []string{"id"}
		p.AvroKey = &pipeline.AvroKey{Pin: pipeline.Pin{Subject: key}, Register: schemaFile(`"long"`)}
		if s := d.sent(p); s.Schema.ID != d.idOf(value, 1) || s.Schema.Version != 1 || s.Schema.Subject != value {
			t.Errorf("%+v, the registry has id %d", s.Schema, d.idOf(value, 1))
		}
	}
	d.versions(value, 1)
	d.versions(key, 1)
	d.wantIDs(map[[2]int]int{{d.idOf(key, 1), d.idOf(value, 1)}: 4})
	ann, bob := `[1,{"id":1,"name":"ann","fare":2.5}]`, `[2,{"id":2,"name":"b,ob","fare":null}]`
	d.decoded(d.topic, ann, ann, bob, bob)
}

func TestAVersionOrAnIdIsPinnedAndOtherwiseTheLatestIsTaken(t *testing.T) {
	d := newDesk(t)
	subject := pipeline.ValueSubject(d.topic)
	for _, add := range []string{"", classed} {
		p := d.csv(seatRows)
		p.Register = schemaFile(seatSchema(add))
		p.Files = []string{write(t, "two.csv", []byte("id,name,fare\n7,eve,\n"))}
		d.sent(p)
	}
	d.versions(subject, 1, 2)
	one, two := d.idOf(subject, 1), d.idOf(subject, 2)
	if one == two || d.idOf(subject, 0) != two {
		t.Fatalf("ids %d and %d, latest %d", one, two, d.idOf(subject, 0))
	}
	for _, c := range []struct {
		pin  pipeline.Pin
		id   int
		said pipeline.RowSchema
	}{
		{pipeline.Pin{Subject: subject}, two, pipeline.RowSchema{Subject: subject, Version: 2}},
		{pipeline.Pin{Subject: subject, Version: 1}, one, pipeline.RowSchema{Subject: subject, Version: 1}},
		{pipeline.Pin{ID: one}, one, pipeline.RowSchema{}},
		{pipeline.Pin{ID: two, Subject: subject}, two, pipeline.RowSchema{Subject: subject}},
	} {
		p := d.csv(seatRows)
		p.Pin = c.pin
		if s := d.sent(p).Schema; s.ID != c.id || s.Subject != c.said.Subject || s.Version != c.said.Version {
			t.Errorf("%+v is %+v, want id %d", c.pin, s, c.id)
		}
	}
	d.wantIDs(map[[2]int]int{{0, one}: 5, {0, two}: 5})
	out := d.printed(d.topic, asJSON)
	if strings.Count(out, `{"id":1,"name":"ann","fare":2.5}`) != 2 || strings.Count(out, `{"id":1,"name":"ann","class":"Y","fare":2.5}`) != 2 {
		t.Errorf("consume prints\n%s", out)
	}
}

func TestASchemaThatMayNotBeOrIsNotThereIsSaidInOneLine(t *testing.T) {
	d := newDesk(t)
	first := d.csv(seatRows)
	first.Register = schemaFile(seatSchema(""))
	d.sent(first)
	subject := pipeline.ValueSubject(d.topic)
	before := d.ids()
	for _, c := range []struct {
		name, want string
		change     func(*pipeline.ProduceCSV)
		kind       error
	}{
		{"incompatible", "seat.avsc may not become a version of subject " + subject + ", and nothing was registered or sent: mend it, or change the level",
			func(p *pipeline.ProduceCSV) { p.Register = schemaFile(seatSchema(unclassed)) }, client.ErrIncompatible},
		{"invalid", "", func(p *pipeline.ProduceCSV) { p.Register = schemaFile(`{"type":"record","name":"x","fields":7}`) }, nil},
		{"subject", "subject nobody-" + d.topic + ": schema is not in the registry", func(p *pipeline.ProduceCSV) { p.Pin.Subject = "nobody-" + d.topic }, pipeline.ErrUnknownSchema},
		{"what to do", "register it with 'stripeline schema register nobody-" + d.topic + " FILE'", func(p *pipeline.ProduceCSV) { p.Pin.Subject = "nobody-" + d.topic }, nil},
		{"version", "subject " + subject + ": schema is not in the registry", func(p *pipeline.ProduceCSV) { p.Pin.Version = 77 }, pipeline.ErrUnknownSchema},
		{"id", "look up schema id 999999: schema is not in the registry", func(p *pipeline.ProduceCSV) { p.Pin.ID = 999_999 }, pipeline.ErrUnknownSchema},
		{"key", "subject " + pipeline.KeySubject(d.topic) + ": schema is not in the registry", func(p *pipeline.ProduceCSV) {
			p.Key, p.AvroKey = []string{"id"}, &pipeline.AvroKey{}
		}, pipeline.ErrUnknownSchema},
		{"reference", `seat.avsc with its references: `, func(p *pipeline.ProduceCSV) {
			p.Register = schemaFile(flightSchema, client.Reference{Name: "com.acme.Airport", Subject: "nobody-" + d.topic, Version: 1})
		}, pipeline.ErrUnknownSchema},
	} {
		p := d.csv(seatRows)
		c.change(p)
		s, err := p.Run(t.Context())
		if err == nil || s.Rows > 0 || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %+v: %v", c.name, s, err)
		}
		var refused *pipeline.Incompatible
		if errors.As(err, &refused) && (len(refused.Messages) == 0 || !strings.Contains(strings.Join(refused.Messages, ""), "class")) {
			t.Errorf("%s: the reasons are %q", c.name, refused.Messages)
		}
	}
	d.versions(subject, 1)
	d.wantIDs(before)
}
