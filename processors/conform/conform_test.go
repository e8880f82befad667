package conform_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/conform"
	"stripeline/processors/lawtest"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

const airline = `{"type":"record","name":"airline","fields":[{"name":"carrier","type":"string"},{"name":"seats","type":["null","int"]}]}`

func shape(t testing.TB) conform.Shape {
	t.Helper()
	plan, err := rowplan.Compile(airline, []string{"carrier", "seats"}, rowplan.Options{Nulls: []string{"NA"}})
	if err != nil {
		t.Fatal(err)
	}
	return conform.Shape{Plan: plan, SchemaID: 0x01020304}
}

func row(cells ...string) rowplan.Row {
	r := rowplan.Row{File: "a.csv", Line: 7, Raw: []byte(strings.Join(cells, ","))}
	for _, c := range cells {
		r.Cells = append(r.Cells, []byte(c))
	}
	return r
}

func TestRecords(t *testing.T) {
	keyPlan, err := rowplan.Compile(`{"type":"record","name":"key","fields":[{"name":"carrier","type":"string"}]}`, []string{"carrier", "seats"},
		rowplan.Options{IgnoreExtra: true})
	if err != nil {
		t.Fatal(err)
	}
	const value = "\x00\x01\x02\x03\x04\x04UA\x02\x0a"
	for _, c := range []struct {
		name  string
		key   conform.Key
		row   rowplan.Row
		value string
		want  []byte
	}{
		{"no key", conform.Key{}, row("UA", "5"), value, nil},
		{"a column", conform.Key{Columns: []int{0}}, row("UA", "5"), value, []byte("UA")},
		{"a null column", conform.Key{Columns: []int{1}}, row("UA", "NA"), "\x00\x01\x02\x03\x04\x04UA\x00", nil},
		{"two columns", conform.Key{Columns: []int{1, 0}}, row("U,A", "5"), "\x00\x01\x02\x03\x04\x06U,A\x02\x0a", []byte(`5,"U,A"`)},
		{"Avro", conform.Key{Plan: keyPlan, SchemaID: 9}, row("UA", "5"), value, []byte("\x00\x00\x00\x00\x09\x04UA")},
	} {
		s := shape(t)
		s.Key = c.key
		var got []conform.Record
		if err := conform.Stage(s)(c.row, func(r conform.Record) { got = append(got, r) }); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(got) != 1 || string(got[0].Value) != c.value || !bytes.Equal(got[0].Key, c.want) || (got[0].Key == nil) != (c.want == nil) || got[0].Headers != nil {
			t.Errorf("%s: %q; want key %q, value %q", c.name, got, c.want, c.value)
		}
	}
}

func TestProvenance(t *testing.T) {
	s := shape(t)
	s.Provenance = true
	err := conform.Stage(s)(row("UA", ""), func(r conform.Record) {
		if got := fmt.Sprintf("%s", r.Headers); got != "[{file a.csv} {line 7}]" {
			t.Errorf("headers %s", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRejects(t *testing.T) {
	torn := row()
	torn.Err = &rowplan.RowError{Code: "quote", Reason: "quote is not closed"}
	for _, c := range []struct {
		row     rowplan.Row
		code    string
		headers string
	}{
		{row("UA", "many"), "type", "[{column seats} {value many} {expected null or int}]"},
		{row("UA"), "columns", "[]"}, {torn, "quote", "[]"},
	} {
		err := conform.Stage(shape(t))(c.row, func(r conform.Record) { t.Errorf("a bad row gave %q", r.Value) })
		why, ok := schemas.AsReject(err)
		if !ok || why.Code != c.code || why.Message == "" || fmt.Sprintf("%s", why.Headers) != c.headers {
			t.Errorf("%q: %v, %s; want %s with %s", c.row.Raw, err, why.Headers, c.code, c.headers)
		}
	}
}

// intKey types the column carrier, which is text in the value, as an int.
func intKey(t testing.TB) conform.Key {
	t.Helper()
	plan, err := rowplan.CompileKey(`"int"`, rowplan.Keying{Header: []string{"carrier", "seats"}, Columns: []string{"carrier"}}, rowplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return conform.Key{Plan: plan, SchemaID: 9}
}

func TestAvroKeyThatDoesNotFit(t *testing.T) {
	s := shape(t)
	s.Key = intKey(t)
	err := conform.Stage(s)(row("UA", "5"), func(r conform.Record) { t.Errorf("a bad key gave %q", r.Key) })
	why, ok := schemas.AsReject(err)
	const headers = "[{column carrier} {value UA} {expected int}]"
	if !ok || why.Code != "type" || !strings.HasPrefix(why.Message, `key: column "carrier": "UA" is not int`) || fmt.Sprintf("%s", why.Headers) != headers {
		t.Errorf("%v, %s; want type with %s", err, why.Headers, headers)
	}
}

// TestAllocations: less than one a row, the value and its Avro key together.
func TestAllocations(t *testing.T) {
	s := shape(t)
	s.Key = intKey(t)
	stage, r, emit := conform.Stage(s), row("12", "5"), func(conform.Record) {}
	if n := testing.AllocsPerRun(10_000, func() { _ = stage(r, emit) }); n >= 1 {
		t.Errorf("%g allocations a row", n)
	}
}

func TestLaws(t *testing.T) {
	s := shape(t)
	s.Key.Columns, s.Provenance = []int{1, 0}, true
	stage := conform.Stage(s)
	draw := rapid.Custom(func(t *rapid.T) rowplan.Row {
		r := row(rapid.SliceOfN(rapid.SampledFrom([]string{"", "NA", "5", "UA", "x,\"y", "\xff"}), 1, 3).Draw(t, "cells")...)
		if rapid.Bool().Draw(t, "quoted") {
			r.Quoted = r.Quoted.With(0)
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		if err := lawtest.StageLaws(stage, draw.Draw(t, "a"), draw.Draw(t, "b")); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkStage(b *testing.B) {
	stage := conform.Stage(shape(b))
	r := row("UA", "5")
	b.ReportAllocs()
	for b.Loop() {
		if err := stage(r, func(conform.Record) {}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRecordsStayAsTheyAre: of small and large records, and rejects between them, none is changed by those that follow.
func TestRecordsStayAsTheyAre(t *testing.T) {
	s := shape(t)
	s.Key.Columns = []int{1}
	stage := conform.Stage(s)
	var got []conform.Record
	var want []string
	for i := range 2000 {
		text := strings.Repeat(string(rune('a'+i%26)), i*i%9000)
		if i%100 == 99 {
			text = strings.Repeat("L", 70_000)
		}
		if i%7 == 6 {
			if err := stage(row(text, "many"), func(conform.Record) {}); err == nil {
				t.Fatal("a bad row is a record")
			}
		}
		if err := stage(row(text, "5"), func(r conform.Record) { got = append(got, r) }); err != nil {
			t.Fatal(err)
		}
		want = append(want, text)
	}
	for i, r := range got {
		if !bytes.Contains(r.Value, []byte(want[i])) || len(r.Value) > len(want[i])+12 || string(r.Key) != "5" || cap(r.Value) != len(r.Value) {
			t.Fatalf("record %d has %d bytes, key %q; its row had %d", i, len(r.Value), r.Key, len(want[i]))
		}
	}
}
