package table_test

import (
	"testing"

	"github.com/twmb/avro"

	"stripeline/consumers/table"
)

func TestAvroKeys(t *testing.T) {
	m := newMaker(t, first)
	keyed := func(schema string, key any) table.Record {
		r := m.record(map[string]any{"id": int64(1), "note": "x"})
		payload, err := avro.MustParse(schema).Encode(key)
		if err != nil {
			t.Fatal(err)
		}
		r.Offset, r.Key, r.KeyPayload, r.KeyWalker = 0, []byte("raw"), payload, newMaker(t, schema).walker
		return r
	}
	const front, back = `{"partition":2,"offset":0,"timestamp":"1970-01-01T00:00:01.5Z","key":`, `,"value":{"id":1,"note":"x"}}` + "\n"
	const header = "partition,offset,timestamp,key,id,note\n2,0,1970-01-01T00:00:01.5Z,"
	for _, c := range []struct {
		schema    string
		key       any
		json, csv string
	}{
		{`"string"`, "a,b", `"a,b"`, `"a,b"`}, {`"int"`, int32(7), `7`, `7`}, {`["null","string"]`, nil, `null`, ``}, {`["null","string"]`, "", `""`, `""`},
		{`{"type":"record","name":"k","fields":[{"name":"a","type":"int"}]}`, map[string]any{"a": int32(1)}, `{"a":1}`, `"{""a"":1}"`},
		{`{"type":"array","items":"int"}`, []int32{1, 2}, `[1,2]`, `"[1,2]"`},
	} {
		got, err := printed(t, table.Options{Format: table.JSON, Meta: true}, keyed(c.schema, c.key))
		if want := front + c.json + back; err != nil || got != want {
			t.Errorf("json of %s: %s, %v; want %s", c.schema, got, err, want)
		}
		got, err = printed(t, table.Options{Format: table.CSV, Meta: true}, keyed(c.schema, c.key))
		if want := header + c.csv + ",1,x\n"; err != nil || got != want {
			t.Errorf("csv of %s: %s, %v; want %s", c.schema, got, err, want)
		}
	}
	r := keyed(`"string"`, "x")
	r.KeyPayload = []byte{40}
	for _, format := range []table.Format{table.JSON, table.CSV, table.Table} {
		if got, err := printed(t, table.Options{Format: format, Meta: true}, r); err == nil {
			t.Errorf("%s of a key that is cut off: %q", format, got)
		}
	}
}
