package interoptest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
)

// keyedAirport is a record whose key is Avro.
type keyedAirport struct {
	Key   json.RawMessage `json:"key"`
	Value airport         `json:"value"`
}

const placeKey = `{"type":"record","name":"Place","namespace":"com.example","fields":[{"name":"code","type":"string","aliases":["faa"]},{"name":"tz","type":["null","int"]}]}`

// keyings are the keys that airports are given under each strategy; only a record can have its subject named after it.
var keyings = []struct {
	strategy           pipeline.SubjectStrategy
	schema, record     string
	columns            []string
	key                func(airport) string
	keySubject, values func(topic string) string
}{
	{pipeline.TopicName, `"string"`, "", []string{"faa"}, faaKey, after("", "-key"), after("", "-value")},
	{pipeline.TopicName, `"int"`, "", []string{"alt"}, func(a airport) string { return fmt.Sprint(a.Alt) }, after("", "-key"), after("", "-value")},
	{pipeline.TopicName, placeKey, "", []string{"faa", "tz"}, placeOf, after("", "-key"), after("", "-value")},
	{pipeline.RecordName, placeKey, "com.example.Place", []string{"tz", "faa"}, placeOf, only("com.example.Place"), only("demo.Airport")},
	{pipeline.TopicRecordName, placeKey, "com.example.Place", []string{"faa", "tz"}, placeOf, after("-com.example.Place", ""), after("-demo.Airport", "")},
}

func after(record, suffix string) func(string) string {
	return func(topic string) string { return topic + record + suffix }
}

func only(name string) func(string) string { return func(string) string { return name } }

func faaKey(a airport) string { return fmt.Sprintf("%q", a.FAA) }

func placeOf(a airport) string { return fmt.Sprintf(`{"code":%q,"tz":%d}`, a.FAA, a.TZ) }

// judgeKeyed compares records in any order, and each with its key.
func judgeKeyed(t *testing.T, lines string, want []airport, key func(airport) string) {
	t.Helper()
	var all []airport
	for scan := bufio.NewScanner(strings.NewReader(lines)); scan.Scan(); {
		var r keyedAirport
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		var got, wanted any
		if json.Unmarshal(r.Key, &got) != nil || json.Unmarshal([]byte(key(r.Value)), &wanted) != nil || !reflect.DeepEqual(got, wanted) {
			t.Fatalf("key %s of airport %s, want %s", r.Key, r.Value.FAA, key(r.Value))
		}
		all = append(all, r.Value)
	}
	judgeAirports(t, all, want)
}

// TestStrangersReadAvroKeysUnderEachStrategy lets Python's AvroDeserializer read what produce csv registered and sent, and its AvroSerializer, which
// looks for the schemas where its own strategy says, write the same bytes.
func TestStrangersReadAvroKeysUnderEachStrategy(t *testing.T) {
	s, want := anyStack(t), airportsOf(t)
	for _, c := range keyings {
		t.Run(string(c.strategy)+" "+strings.Join(c.columns, " "), func(t *testing.T) {
			python, topic := need(t, "python"), brokertest.Topic(t, s.Site.Cluster, 3)
			registry := s.registry(t)
			p := pipeline.ProduceCSV{Registry: registry, Writer: registry, Key: c.columns,
				Production: pipeline.Production{Cluster: s.Site.Cluster, Files: []string{filepath.Join(root(t), airportsCSV)}, Topic: topic},
				Register:   &pipeline.SchemaFile{Name: airportsSchema, Text: readFile(t, airportsSchema)},
				AvroKey:    &pipeline.AvroKey{Register: &pipeline.SchemaFile{Name: "key.avsc", Text: c.schema}}}
			p.Cells.Nulls = []string{"NA"}
			var errV, errK error
			p.Pin.Subject, errV = c.strategy.ValueSubject(topic, "demo.Airport")
			p.AvroKey.Pin.Subject, errK = c.strategy.KeySubject(topic, c.record)
			if errV != nil || errK != nil || p.Pin.Subject != c.values(topic) || p.AvroKey.Pin.Subject != c.keySubject(topic) {
				t.Fatalf("subjects %s and %s: %v, %v", p.AvroKey.Pin.Subject, p.Pin.Subject, errV, errK)
			}
			if summary, err := p.Run(t.Context()); err != nil || summary.Acked != int64(len(want)) || summary.Rejects != 0 {
				t.Fatalf("%+v, %v", summary, err)
			}
			out := run(t, "", python, filepath.Join("testdata", "keys.py"), "read", s.brokers, s.RegistryURL(), topic, fmt.Sprint(len(want)), string(c.strategy))
			judgeKeyed(t, out, want, c.key)
		})
	}
}

// TestConsumeShowsAvroKeysOfStrangers lets Python's AvroSerializer register keys and values under each strategy. consume shows them decoded, and produce
// csv finds the schemas by the same strategy.
func TestConsumeShowsAvroKeysOfStrangers(t *testing.T) {
	s, rows := anyStack(t), airportsOf(t)
	for _, c := range keyings {
		t.Run(string(c.strategy)+" "+strings.Join(c.columns, " "), func(t *testing.T) {
			python, topic, registry := need(t, "python"), brokertest.Topic(t, s.Site.Cluster, 3), s.registry(t)
			var lines strings.Builder
			for _, a := range rows {
				line, _ := json.Marshal(keyedAirport{json.RawMessage(c.key(a)), a})
				lines.Write(append(line, '\n'))
			}
			keyFile := filepath.Join(t.TempDir(), "key.avsc")
			if err := os.WriteFile(keyFile, []byte(c.schema), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, lines.String(), python, filepath.Join("testdata", "keys.py"), "write", s.brokers, s.RegistryURL(), topic, string(c.strategy), keyFile, filepath.Join(root(t), airportsSchema))
			var out strings.Builder
			consume := pipeline.Consume{Cluster: s.Site.Cluster, Registry: registry, Topic: topic, Print: pipeline.PrintOptions{Format: "json", Meta: true}, Out: &out}
			if n, err := consume.Run(t.Context()); err != nil || n != int64(len(rows)) {
				t.Fatalf("%d rows, %v", n, err)
			}
			judgeKeyed(t, out.String(), rows, c.key)
			p := pipeline.ProduceCSV{Registry: registry, Key: c.columns, Pin: pipeline.Pin{Subject: c.values(topic)},
				Production: pipeline.Production{Cluster: s.Site.Cluster, Files: []string{filepath.Join(root(t), airportsCSV)}, Topic: topic},
				AvroKey:    &pipeline.AvroKey{Pin: pipeline.Pin{Subject: c.keySubject(topic)}}}
			p.Cells.Nulls = []string{"NA"}
			if summary, err := p.Run(t.Context()); err != nil || summary.Acked != int64(len(rows)) {
				t.Fatalf("%+v, %v", summary, err)
			}
		})
	}
}
