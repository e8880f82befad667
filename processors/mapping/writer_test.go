package mapping

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stripeline/schemas/rowshape"
)

// TestCopiedFieldsStandWhereTheOutputHasThem copies fields in any order, some twice, with constants between them.
func TestCopiedFieldsStandWhereTheOutputHasThem(t *testing.T) {
	in := shapeOf(t, directSchema)
	rapid.Check(t, func(r *rapid.T) {
		at := rapid.IntRange(0, len(in.Fields)-1).Draw(r, "first")
		from := make([]int, rapid.IntRange(1, 8).Draw(r, "fields"))
		for i := range from {
			from[i] = (at + i) % len(in.Fields)
			if rapid.IntRange(0, 3).Draw(r, "jump") == 0 {
				from[i] = rapid.IntRange(-1, len(in.Fields)-1).Draw(r, "source") // -1 is a constant
			}
		}
		plan := copying(t, in, from)
		payload := directRow(r, in)
		offsets, err := in.Offsets(nil, payload)
		if err != nil {
			r.Fatal(err)
		}
		var want []byte
		for _, i := range from {
			if i < 0 {
				want = append(want, 2, 'K')
			} else {
				want = append(want, payload[offsets[i]:offsets[i+1]]...)
			}
		}
		got, _, _, err := plan.Append(nil, Row{Payload: payload})
		if err != nil || !bytes.Equal(got, want) {
			r.Fatalf("copy of %v gives %x (%v), want %x", from, got, err, want)
		}
	})
}

// copying makes a plan whose outputs are the input's fields.
func copying(t *testing.T, in *rowshape.Shape, from []int) *Plan {
	text, fields := "fields:\n", make([]string, len(from))
	for i, source := range from {
		fields[i] = fmt.Sprintf(`{"name":"o%d","type":"string"}`, i)
		if source < 0 {
			text += fmt.Sprintf("  o%d: {const: K}\n", i)
		} else {
			text += fmt.Sprintf("  o%d: row.%s\n", i, in.Fields[source].Name)
		}
	}
	out := shapeOf(t, `{"type":"record","name":"out","fields":[`+strings.Join(fields, ",")+`]}`)
	for i, source := range from {
		if source >= 0 {
			out.Fields[i].Type = in.Fields[source].Type
		}
	}
	file, err := Parse("map.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile(file, in, out)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
