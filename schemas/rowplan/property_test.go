package rowplan_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"stripeline/schemas/rowplan"
)

// draw gives a sample of any type, sometimes in a union with null, on either side of it.
func draw(t *rapid.T, name string) sample {
	kinds := slices.Sorted(maps.Keys(samples))
	s := samples[rapid.SampledFrom(kinds).Draw(t, "type")](t, name)
	switch rapid.IntRange(0, 3).Draw(t, "union") {
	case 0:
		s.fieldType = `["null",` + s.fieldType + `]`
	case 1:
		s.fieldType = `[` + s.fieldType + `,"null"]`
	default:
		return s
	}
	if rapid.Bool().Draw(t, "null") || s.cell == "" {
		s.cell, s.value = rapid.SampledFrom([]string{"", "NULL"}).Draw(t, "token"), nil
	}
	return s
}

// TestPlanAgainstJudge: the plan's bytes are those that twmb/avro writes for the typed values, and the walker's cells give them again.
func TestPlanAgainstJudge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fields, header []string
		var cells [][]byte
		values := map[string]any{}
		for i := range rapid.IntRange(1, 8).Draw(t, "fields") {
			name := fmt.Sprintf("f%d", i)
			s := draw(t, "t"+name)
			if s.cell == "NULL" && s.value != nil {
				continue
			}
			fields = append(fields, fmt.Sprintf(`{"name":%q,"type":%s}`, name, s.fieldType))
			header, cells, values[name] = append(header, name), append(cells, []byte(s.cell)), s.value
		}
		schema := `{"type":"record","name":"r","fields":[` + strings.Join(fields, ",") + `]}`
		want, err := avro.MustParse(schema).Encode(values)
		if err != nil {
			t.Fatalf("judge on %s: %v", schema, err)
		}
		plan, err := rowplan.Compile(schema, header, rowplan.Options{Nulls: []string{"NULL"}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := plan.Append(nil, cells, nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s of %q: %x, %v; judge %x", schema, cells, got, err, want)
		}
		again(t, schema, header, got)
	})
}

// again reads value back as cells and as a line, and types those once more.
func again(t *rapid.T, schema string, header []string, value []byte) {
	w, err := rowplan.Walk(schema)
	if err != nil {
		t.Fatal(err)
	}
	var flat rowplan.Flat
	if err := w.Cells(&flat, value); err != nil || flat.Len() != len(header) {
		t.Fatalf("cells of %x: %v, %d of them", value, err, flat.Len())
	}
	cells := make([][]byte, flat.Len())
	var quoted rowplan.Bits
	for i := range cells {
		if cells[i] = flat.Cell(i); !flat.Null.Has(i) {
			quoted = quoted.With(i)
		}
	}
	plan, err := rowplan.Compile(schema, header, rowplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := plan.Append(nil, cells, quoted); err != nil || !bytes.Equal(got, value) {
		t.Fatalf("%s: cells %q give %x, %v; want %x", schema, cells, got, err, value)
	}
	offsets, err := w.Offsets(nil, value)
	if err != nil || len(offsets) != len(header)+1 || offsets[0] != 0 || offsets[len(header)] != len(value) {
		t.Fatalf("offsets %v, %v", offsets, err)
	}
}

// nested draws a type with containers in it, and a value for the judge.
func nested(t *rapid.T, name string, depth int) (fieldType string, value any) {
	shape := rapid.IntRange(0, 5).Draw(t, "shape")
	if depth == 0 {
		shape = 5
	}
	count := rapid.IntRange(0, 3).Draw(t, "count")
	switch shape {
	case 0:
		items := []any{}
		item, v := nested(t, name+"a", depth-1)
		for range count {
			items = append(items, v)
		}
		return `{"type":"array","items":` + item + `}`, items
	case 1:
		members := map[string]any{}
		item, v := nested(t, name+"m", depth-1)
		if count > 0 { // one member: the judge does not keep the order of a map
			members[rapid.String().Draw(t, "key")] = v
		}
		return `{"type":"map","values":` + item + `}`, members
	case 2:
		var fields []string
		members := map[string]any{}
		for i := range count {
			item, v := nested(t, fmt.Sprintf("%sr%d", name, i), depth-1)
			fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, item))
			members[fmt.Sprintf("f%d", i)] = v
		}
		return fmt.Sprintf(`{"type":"record","name":%q,"fields":[%s]}`, name, strings.Join(fields, ",")), members
	default:
		s := draw(t, name)
		return s.fieldType, s.value
	}
}

// TestJSONGivesValueBack: Avro to JSON and, as a JSON cell, to Avro again.
func TestJSONGivesValueBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fieldType, value := nested(t, "n", 3)
		schema := `{"type":"record","name":"r","fields":[{"name":"v","type":{"type":"array","items":` + fieldType + `}}]}`
		binary, err := avro.MustParse(schema).Encode(map[string]any{"v": []any{value, value}})
		if err != nil {
			t.Fatalf("judge on %s: %v", schema, err)
		}
		w, err := rowplan.Walk(schema)
		if err != nil {
			t.Fatal(err)
		}
		line, err := w.AppendJSON(nil, binary)
		if err != nil {
			t.Fatalf("%s %x: %v", schema, binary, err)
		}
		plan, err := rowplan.Compile(schema, []string{"v"}, rowplan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cell := bytes.TrimSuffix(bytes.TrimPrefix(line, []byte(`{"v":`)), []byte("}"))
		if got, err := plan.Append(nil, [][]byte{cell}, nil); err != nil || !bytes.Equal(got, binary) {
			t.Fatalf("%s: %s gives %x, %v; want %x", schema, cell, got, err, binary)
		}
		for cut := range binary {
			if _, err := w.AppendJSON(nil, binary[:cut]); err == nil {
				t.Fatalf("%s: %x cut off at %d is taken", schema, binary, cut)
			}
		}
	})
}
