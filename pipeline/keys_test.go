package pipeline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/avro"

	"stripeline/pipeline/kafka"
)

// all reads the records of a topic.
func (w *rowWorld) all(topic string) (records []*kafka.Record) {
	w.t.Helper()
	c := Consume{Cluster: w.cluster, Topic: topic}
	err := c.each(w.t.Context(), func(r *kafka.Record) error {
		records = append(records, &kafka.Record{Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value), Partition: r.Partition})
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return records
}

const personKey = `{"type":"record","name":"PersonKey","namespace":"com.acme","fields":[
 {"name":"number","type":"int","aliases":["id"]},{"name":"name","type":["null","string"],"default":null}]}`

func TestKeysAreAvroUnderTheirOwnSchema(t *testing.T) {
	for _, c := range []struct {
		name, schema string
		columns      []string
		pin          Pin
		want         string // as consume shows it
	}{
		{"string", `"string"`, []string{"name"}, Pin{}, `"ann"`},
		{"long", `"long"`, []string{"id"}, Pin{}, `7`},
		{"a subject of its own", `"int"`, []string{"id"}, Pin{Subject: "persons"}, `7`},
		{"record, a field by its alias", personKey, []string{"name", "id"}, Pin{}, `{"number":7,"name":"ann"}`},
		{"record, a field by its default", personKey, []string{"id"}, Pin{}, `{"number":7,"name":null}`},
		{"an older version", `"int"`, []string{"id"}, Pin{Version: 1}, `7`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRowWorld(t)
			subject := KeySubject(w.topic)
			if c.pin.Subject != "" {
				subject = c.pin.Subject
			}
			id := w.registry.add(subject, c.schema).ID
			if c.pin.Version == 1 {
				w.registry.add(subject, `"string"`)
			}
			p := w.csv(w.file("id,name,amount\n7,ann,2.5\n"))
			p.Key, p.AvroKey = c.columns, &AvroKey{Pin: c.pin}
			if s, err := p.Run(t.Context()); err != nil || s.Acked != 1 {
				t.Fatalf("%+v %v", s, err)
			}
			out, _ := w.printed(Consume{Print: PrintOptions{Meta: true}})
			if !strings.Contains(out, `"key":`+c.want+`,"value":{"id":7`) {
				t.Errorf("consume shows %s, want the key %s", out, c.want)
			}
			if key := w.all(w.topic)[0].Key; key[0] != 0 || binary.BigEndian.Uint32(key[1:]) != uint32(id) {
				t.Errorf("key begins with % x, want schema %d", key[:5], id)
			}
		})
	}
}

func TestKeyThatDoesNotFitIsARejectOfItsRow(t *testing.T) {
	w := newRowWorld(t)
	w.registry.add(KeySubject(w.topic), `"int"`)
	p := w.csv(w.file("id,name,amount\n1,12,1\n2,x,1\n3,,1\n4,3000000000,1\n5,44,none\n"))
	p.Key, p.AvroKey = []string{"name"}, &AvroKey{}
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 1 || s.Rejects != 4 {
		t.Fatalf("%+v %v", s, err)
	}
	byLine := map[string]Reject{}
	for _, x := range w.rejects() {
		byLine[x.Facts[headerLine]] = x
	}
	for line, want := range map[string][3]string{
		"3": {"type", "x", "2,x,1"}, "4": {"null", "", "3,,1"}, "5": {"range", "3000000000", "4,3000000000,1"},
	} {
		x := byLine[line]
		if x.Code != want[0] || x.Facts["column"] != "name" || x.Facts["value"] != want[1] || x.Facts["expected"] != "int" || string(x.Value) != want[2] ||
			!strings.HasPrefix(x.Message, `key: column "name"`) || x.Key != nil {
			t.Errorf("line %s: %+v; want %v", line, x, want)
		}
	}
	bad := byLine["6"] // whose value is wrong, and whose key is known
	if bad.Facts["column"] != "amount" || !bytes.Equal(bad.Key, []byte{0, 0, 0, 0, 2, 88}) {
		t.Errorf("%+v, key % x", bad, bad.Key)
	}
}

// TestKeysAgreeWithValues sends many rows and reads keys and values by twmb/avro.
func TestKeysAgreeWithValues(t *testing.T) {
	const rows = 3000
	w := newRowWorld(t)
	w.registry.add(KeySubject(w.topic), `{"type":"record","name":"k","fields":[{"name":"name","type":["null","string"]},{"name":"id","type":"long"}]}`)
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("id,name,amount\n")
	for range rows {
		fmt.Fprintf(&text, "%d,\"%s\",%g\n", random.Int64()-random.Int64(), strings.Repeat(`""é,`, random.IntN(6)), random.Float64())
	}
	p := w.csv(w.file(text.String()))
	p.Key, p.AvroKey = []string{"id", "name"}, &AvroKey{}
	if s, err := p.Run(t.Context()); err != nil || s.Acked != rows {
		t.Fatalf("%+v %v", s, err)
	}
	key, value := avro.MustParse(w.registry.schemas[1].Text), avro.MustParse(rowSchema)
	records := w.all(w.topic)
	for _, r := range records {
		var k, v map[string]any
		if _, err := key.Decode(r.Key[5:], &k); err != nil {
			t.Fatal(err)
		}
		if _, err := value.Decode(r.Value[5:], &v); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(k["id"], k["name"]) != fmt.Sprint(v["id"], v["name"]) {
			t.Fatalf("key %v of %v", k, v)
		}
	}
	if len(records) != rows {
		t.Errorf("%d records", len(records))
	}
}
