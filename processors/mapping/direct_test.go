package mapping

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"stripeline/schemas/rowshape"
)

const directSchema = `{"type":"record","name":"in","fields":[
 {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"b","type":"boolean"},
 {"name":"s","type":"string"},{"name":"ni","type":["null","long"]},{"name":"nd","type":["double","null"]},{"name":"ns","type":["null","string"]}]}`

// expressions draws an expression of a type, by its CEL name, most of them of the table of direct.go.
func expressions(t *rapid.T, kind string, depth int) string {
	leaves := map[string][]string{
		"int":    {"row.i", "row.l", "row.ni", "7", "-3", "9223372036854775807", "0"},
		"double": {"row.f", "row.d", "row.nd", "2.5", "-0.0", "1e300"},
		"bool":   {"row.b", "true", "row.ni == null", "null != row.ns", "has(row.nd)"},
		"string": {"row.s", "row.ns", "'x'", "''", "'Ünï'"},
	}
	if depth == 0 {
		return rapid.SampledFrom(leaves[kind]).Draw(t, "leaf")
	}
	sub := func(kind string) string { return expressions(t, kind, depth-1) }
	any := func() string { return rapid.SampledFrom([]string{"int", "double", "string"}).Draw(t, "kind") }
	pairs := func(operators ...string) string {
		return fmt.Sprintf("(%s %s %s)", sub(kind), rapid.SampledFrom(operators).Draw(t, "operator"), sub(kind))
	}
	forms := map[string][]func() string{
		"int": {func() string { return pairs("+", "-", "*", "/", "%") }, func() string { return "-(" + sub("int") + ")" },
			func() string { return "int(" + sub("double") + ")" }, func() string { return "size(" + sub("string") + ")" }},
		"double": {func() string { return pairs("+", "-", "*", "/") }, func() string { return "double(" + sub("int") + ")" }},
		"bool": {func() string { return pairs("&&", "||", "==", "!=") }, func() string { return "!(" + sub("bool") + ")" },
			func() string {
				k := any()
				return fmt.Sprintf("(%s %s %s)", sub(k), rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "order"), sub(k))
			},
			func() string {
				return fmt.Sprintf("%s.%s(%s)", sub("string"), rapid.SampledFrom([]string{"startsWith", "endsWith", "contains"}).Draw(t, "test"), sub("string"))
			}},
		"string": {func() string { return pairs("+") }, func() string { return "string(" + sub(any()) + ")" },
			func() string { return sub("string") + ".upperAscii()" }, func() string { return sub("string") + ".lowerAscii()" }},
	}
	if rapid.IntRange(0, 4).Draw(t, "choice") == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", sub("bool"), sub(kind), sub(kind))
	}
	return rapid.SampledFrom(forms[kind]).Draw(t, "form")()
}

func directRow(t *rapid.T) map[string]any {
	longs := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, -1}))
	reals := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, -1, math.NaN(), math.Inf(1), 1e20}))
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"x", "Xx", ""}))
	row := map[string]any{
		"i": rapid.Int32().Draw(t, "i"), "l": longs.Draw(t, "l"), "f": rapid.Float32().Draw(t, "f"), "d": reals.Draw(t, "d"),
		"b": rapid.Bool().Draw(t, "b"), "s": texts.Draw(t, "s"), "ni": nil, "nd": nil, "ns": nil,
	}
	if rapid.Bool().Draw(t, "filled") {
		row["ni"], row["nd"], row["ns"] = longs.Draw(t, "ni"), reals.Draw(t, "nd"), texts.Draw(t, "ns")
	}
	return row
}

// TestDirectSaysWhatCELSays compares what is evaluated without CEL with CEL, for records and expressions at random: the same bytes, or the same
// complaint.
func TestDirectSaysWhatCELSays(t *testing.T) {
	shape, err := rowshape.Parse(directSchema)
	if err != nil {
		t.Fatal(err)
	}
	env, err := newEnv(shape, nil)
	if err != nil {
		t.Fatal(err)
	}
	schema := avro.MustParse(directSchema)
	outcomes := map[string]string{"int": `["null","long"]`, "double": `["double","null"]`, "bool": `["null","boolean"]`, "string": `["null","string"]`}
	taken, plain := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"int", "double", "bool", "string"}).Draw(t, "kind")
		text := expressions(t, kind, rapid.IntRange(1, 3).Draw(t, "depth"))
		c := &compiler{file: &File{}, env: env, in: shape}
		x, err := c.compile(entry{text: text})
		if err != nil {
			return // a constant that overflows
		}
		if x.direct == nil {
			return
		}
		taken++
		payload, err := schema.Encode(directRow(t))
		if err != nil {
			t.Fatal(err)
		}
		out, err := rowshape.Parse(outOf(outcomes[kind]))
		if err != nil {
			t.Fatal(err)
		}
		s := newScratch(shape, nil)
		if err := s.load(payload); err != nil {
			t.Fatal(err)
		}
		slow := boxedWriter(x, &out.Fields[0])
		want, wantErr := slow(nil, s)
		asked := false
		got, gotErr := directWriter(x, &out.Fields[0], func(dst []byte, s *scratch) ([]byte, error) {
			asked = true
			return slow(dst, s)
		})(nil, s)
		if !asked {
			plain++
		}
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || gotErr == nil && !bytes.Equal(got, want) && !bothNaN(got, want) {
			t.Fatalf("%s: %x (%v), CEL says %x (%v)", text, got, gotErr, want, wantErr)
		}
	})
	if taken < 20 || plain < taken/4 {
		t.Errorf("%d expressions were direct, %d of them came out without CEL: the test tests too little", taken, plain)
	}
}

func outOf(kind string) string {
	return `{"type":"record","name":"out","fields":[{"name":"x","type":` + kind + `}]}`
}

// bothNaN: the sign and the payload of what is not a number are nobody's promise.
func bothNaN(a, b []byte) bool {
	slot, _ := (&rowshape.Type{Kind: rowshape.Union, Branches: []*rowshape.Type{{Kind: rowshape.Double}, {Kind: rowshape.Null}}}).Slot()
	x, okX := slot.Real(a)
	y, okY := slot.Real(b)
	return okX && okY && math.IsNaN(x) && math.IsNaN(y)
}
