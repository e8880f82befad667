package rowplan_test

import (
	"bytes"
	"testing"

	"github.com/twmb/avro"

	"stripeline/schemas/rowplan"
)

// types are those whose texts have a grammar of their own.
var types = []string{
	`"boolean"`, `"int"`, `"long"`, `"float"`, `"double"`, `"string"`, date, clockMillis, clockMicros, stampMillis, stampNanos, localMicros, decimal, decimalBig,
	decimalFix, uuid, uuidFixed, duration, enum, fixed4, `["null","long","double","string"]`, `{"type":"array","items":["null","int"]}`,
	`{"type":"map","values":{"type":"array","items":"bytes"}}`, `{"type":"array","items":{"type":"record","name":"in","fields":[{"name":"a","type":"double","default":1}]}}`,
}

// FuzzCell: a text of any type is a fault or a value that the judge reads, and whose own text gives the same value.
func FuzzCell(f *testing.F) {
	var plans []*rowplan.Plan
	var walkers []*rowplan.Walker
	var judges []*avro.Schema
	for _, fieldType := range types {
		plans = append(plans, compile(f, record(fieldType), []string{"v"}, rowplan.Options{}))
		w, err := rowplan.Walk(record(fieldType))
		if err != nil {
			f.Fatal(err)
		}
		walkers, judges = append(walkers, w), append(judges, avro.MustParse(record(fieldType)))
	}
	for i, cell := range []string{"true", "-5", "+5", "1e5", "-Inf", "é", "2024-02-29", "23:59:59.999", "00:00", "2013-01-01T10:00:00Z", "2013-01-01 10:00:00+01:30",
		"2013-01-01T10:00:00.5", "-0.010", "1E+2", "0", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "P1Y2M3DT4H5M6.7S", "RED", "abcd", "12", "[1,null]", `{"k":["\u00ff"]}`, `{}`} {
		f.Add(uint8(i), []byte(cell))
	}
	f.Fuzz(func(t *testing.T, kind uint8, cell []byte) {
		i := int(kind) % len(types)
		value, err := plans[i].Append(nil, [][]byte{cell}, nil)
		if err != nil {
			return
		}
		var any any
		if rest, err := judges[i].Decode(value, &any); err != nil || len(rest) > 0 {
			t.Fatalf("%s %q: judge reads %x: %v, %d bytes left", types[i], cell, value, err, len(rest))
		}
		var flat rowplan.Flat
		if err := walkers[i].Cells(&flat, value); err != nil {
			t.Fatal(err)
		}
		if isNaN(flat.Text) || types[i][0] == '[' { // a double of a union may have the text of a long
			return
		}
		var quoted rowplan.Bits
		if !flat.Null.Has(0) {
			quoted = quoted.With(0)
		}
		again, err := plans[i].Append(nil, [][]byte{flat.Text}, quoted)
		if err != nil || !bytes.Equal(again, value) {
			t.Fatalf("%s %q: %x, its text %q gives %x, %v", types[i], cell, value, flat.Text, again, err)
		}
	})
}

func isNaN(text []byte) bool { return bytes.Contains(text, []byte("NaN")) }

// FuzzWalker: any bytes are an error or a value; the three readers agree on which, and so does the judge.
func FuzzWalker(f *testing.F) {
	schema := flightsSchema()
	for _, s := range []string{person, record(`{"type":"map","values":{"type":"array","items":["null",` + decimal + `]}}`), record(duration)} {
		f.Add(s, []byte("\x02\x04ab\x00\x00\x00"))
	}
	f.Add(schema, []byte{0})
	f.Fuzz(func(t *testing.T, schema string, value []byte) {
		w, err := rowplan.Walk(schema)
		if err != nil {
			return
		}
		line, jsonErr := w.AppendJSON(nil, value)
		var flat rowplan.Flat
		if cellsErr := w.Cells(&flat, value); (cellsErr == nil) != (jsonErr == nil) {
			t.Fatalf("%s %x: cells %v, JSON %v", schema, value, cellsErr, jsonErr)
		}
		if jsonErr == nil && !bytes.HasPrefix(line, []byte("{")) && len(w.Fields()) > 0 {
			t.Fatalf("%s %x: %s", schema, value, line)
		}
		if jsonErr == nil && flat.Len() != len(w.Columns()) {
			t.Fatalf("%s %x: %d cells, %d columns", schema, value, flat.Len(), len(w.Columns()))
		}
	})
}

// FuzzTimeFormat: any format is refused, or reads any text as a fault or a value that the judge reads.
func FuzzTimeFormat(f *testing.F) {
	for _, seed := range [][2]string{{"%Y-%m-%d %H:%M:%S", "2013-01-01 10:00:00"}, {"epoch-ms", "1357034400000"}, {"%d/%m/%y", "31/12/99"}, {"%j %f%z", "365 .5+0130"}, {"2006", "x"}} {
		f.Add(seed[0], []byte(seed[1]))
	}
	kinds := []string{stampMillis, stampNanos, localMicros, date}
	f.Fuzz(func(t *testing.T, format string, cell []byte) {
		for _, kind := range kinds {
			plan, err := rowplan.Compile(record(kind), []string{"v"}, rowplan.Options{TimeFormat: format, DateFormat: format})
			if err != nil {
				continue
			}
			value, err := plan.Append(nil, [][]byte{cell}, nil)
			if err != nil {
				continue
			}
			var any any
			if rest, err := avro.MustParse(record(kind)).Decode(value, &any); err != nil || len(rest) > 0 {
				t.Fatalf("%s %q as %q: judge reads %x: %v, %d bytes left", kind, cell, format, value, err, len(rest))
			}
		}
	})
}
