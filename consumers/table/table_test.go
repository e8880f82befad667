package table_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"

	"stripeline/consumers/table"
	"stripeline/schemas/rowplan"
)

const (
	first  = `{"type":"record","name":"r","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"]}]}`
	second = `{"type":"record","name":"r","fields":[{"name":"note","type":["null","string"]},{"name":"id","type":"long"},{"name":"extra","type":"int"}]}`
)

type maker struct {
	t       *testing.T
	schema  *avro.Schema
	walker  *rowplan.Walker
	records int64
}

func newMaker(t *testing.T, text string) *maker {
	walker, err := rowplan.Walk(text)
	if err != nil {
		t.Fatal(err)
	}
	return &maker{t: t, schema: avro.MustParse(text), walker: walker}
}

func (m *maker) record(v map[string]any) table.Record {
	payload, err := m.schema.Encode(v)
	if err != nil {
		m.t.Fatal(err)
	}
	m.records++
	return table.Record{Partition: 2, Offset: m.records - 1, Time: time.UnixMilli(1500), Key: []byte("k"), Value: payload, Walker: m.walker, Payload: payload}
}

func printed(t *testing.T, options table.Options, records ...table.Record) (string, error) {
	t.Helper()
	var out bytes.Buffer
	p, err := table.New(&out, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := p.Put(context.Background(), r); err != nil {
			return out.String(), err
		}
	}
	err = p.Close()
	return out.String(), err
}

func TestFormats(t *testing.T) {
	m := newMaker(t, first)
	records := []table.Record{
		m.record(map[string]any{"id": int64(1), "note": "a,b"}),
		m.record(map[string]any{"id": int64(-22), "note": nil}),
		m.record(map[string]any{"id": int64(3), "note": ""}),
		m.record(map[string]any{"id": int64(4), "note": "=1+1\n"}),
	}
	for _, c := range []struct {
		options table.Options
		want    string
	}{
		{table.Options{Format: table.Table}, "id   note\n1    a,b\n-22  NULL\n3    \n4    =1+1·\n"},
		{table.Options{Format: table.CSV}, "id,note\n1,\"a,b\"\n-22,\n3,\"\"\n4,\"=1+1\n\"\n"},
		{table.Options{Format: table.CSV, EscapeFormulas: true, Null: "NA"}, "id,note\n1,\"a,b\"\n-22,NA\n3,\"\"\n4,\"'=1+1\n\"\n"},
		{table.Options{Format: table.JSON}, `{"id":1,"note":"a,b"}` + "\n" + `{"id":-22,"note":null}` + "\n" + `{"id":3,"note":""}` + "\n" + `{"id":4,"note":"=1+1\n"}` + "\n"},
	} {
		got, err := printed(t, c.options, records...)
		if err != nil || got != c.want {
			t.Errorf("%+v:\n%s(%v) want\n%s", c.options, got, err, c.want)
		}
	}
}

func TestMetaAndValuesWithoutASchema(t *testing.T) {
	m := newMaker(t, first)
	plain := table.Record{Partition: 1, Offset: 7, Time: time.UnixMilli(1500), Value: []byte("li\"ne\xff")}
	tombstone := table.Record{Partition: 1, Offset: 8, Time: time.UnixMilli(1500), Key: []byte("k")}
	got, err := printed(t, table.Options{Format: table.JSON, Meta: true}, m.record(map[string]any{"id": int64(1), "note": "x"}), plain, tombstone)
	want := `{"partition":2,"offset":0,"timestamp":"1970-01-01T00:00:01.5Z","key":"k","value":{"id":1,"note":"x"}}
{"partition":1,"offset":7,"timestamp":"1970-01-01T00:00:01.5Z","key":null,"value":"li\"neÿ"}
{"partition":1,"offset":8,"timestamp":"1970-01-01T00:00:01.5Z","key":"k","value":null}
`
	if err != nil || got != want {
		t.Errorf("got\n%s(%v) want\n%s", got, err, want)
	}
	got, _ = printed(t, table.Options{Format: table.Raw}, plain, tombstone)
	if got != "li\"ne\xff\n\n" {
		t.Errorf("raw %q", got)
	}
	got, err = printed(t, table.Options{Format: table.CSV, Meta: true}, m.record(map[string]any{"id": int64(1), "note": "x"}), tombstone)
	if want := "partition,offset,timestamp,key,id,note\n2,1,1970-01-01T00:00:01.5Z,k,1,x\n1,8,1970-01-01T00:00:01.5Z,k,,\n"; err != nil || got != want {
		t.Errorf("csv\n%s(%v) want\n%s", got, err, want)
	}
}

func TestAnotherSchemaIsPutUnderTheHeaderByNameOrRefused(t *testing.T) {
	a, b := newMaker(t, first), newMaker(t, second)
	ra := a.record(map[string]any{"id": int64(1), "note": "x"})
	rb := b.record(map[string]any{"id": int64(2), "note": "y", "extra": int32(3)})
	if got, err := printed(t, table.Options{Format: table.CSV}, rb, ra); err != nil || got != "note,id,extra\ny,2,3\nx,1,\n" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := printed(t, table.Options{Format: table.CSV}, ra, rb); !errors.Is(err, table.ErrNewColumn) || !strings.Contains(err.Error(), "extra") {
		t.Errorf("%v, want ErrNewColumn about extra", err)
	}
	if got, err := printed(t, table.Options{Format: table.Table}, ra, rb); err != nil || got != "id  note\n1   x\nnote  id  extra\ny     2   3\n" {
		t.Errorf("%q %v", got, err)
	}
}
