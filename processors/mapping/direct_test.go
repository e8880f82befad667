package mapping

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stripeline/schemas/rowshape"
)

// outcomes are the types that the outcome of each CEL type is written as.
var outcomes = map[string][]string{
	"int":    {`["null","long"]`, `"int"`, `["float","null"]`, `"double"`},
	"double": {`["double","null"]`, `"float"`},
	"bool":   {`["null","boolean"]`},
	"string": {`["null","string"]`, `{"type":"enum","name":"o","symbols":["a","x","Xx"]}`},
	"timestamp": {logical("int", "date"), logical("long", "timestamp-millis"), `["null",` + logical("long", "timestamp-micros") + `]`,
		logical("long", "local-timestamp-nanos")},
	"duration": {logical("int", "time-millis"), `["null",` + logical("long", "time-micros") + `]`},
	"decimal": {decimals(9, 2), `["null",` + decimals(30, 4) + `]`,
		`{"type":"fixed","name":"o","size":3,"logicalType":"decimal","precision":6,"scale":1}`,
		`[{"type":"fixed","name":"o","size":14,"logicalType":"decimal","precision":30,"scale":18},"null"]`},
}

// differ compares what is evaluated without CEL with CEL.
type differ struct {
	shape    *rowshape.Shape
	compiler *compiler
	fields   map[string][]*rowshape.Field
	scratch  *scratch // one for all records, as a pool may do it
	taken    int      // expressions that were direct
	plain    int      // outcomes that came out without CEL
}

func newDiffer(t *testing.T) *differ {
	d := &differ{shape: shapeOf(t, directSchema), fields: map[string][]*rowshape.Field{}}
	lookups := []*Lookup{directLookup(t)}
	env, err := newEnv(d.shape, lookups)
	if err != nil {
		t.Fatal(err)
	}
	d.compiler = &compiler{file: &File{lookups: lookups}, env: env, in: d.shape}
	d.scratch = newScratch(d.shape, lookups)
	for kind, types := range outcomes {
		for _, out := range types {
			shape := shapeOf(t, `{"type":"record","name":"out","fields":[{"name":"x","type":`+out+`}]}`)
			d.fields[kind] = append(d.fields[kind], &shape.Fields[0])
		}
	}
	return d
}

func shapeOf(t *testing.T, text string) *rowshape.Shape {
	t.Helper()
	s, err := rowshape.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compare wants the same bytes, or the same complaint, in every type that the outcome is written as.
func (d *differ) compare(t rapid.TB, x *expression, kind string, payload []byte) {
	s := d.scratch
	if err := s.load(payload); err != nil {
		t.Fatal(err)
	}
	defer s.release()
	d.fillBoxes(s)
	if kind == "bool" {
		d.compareCondition(t, x, s)
	}
	d.compareKey(t, x, s)
	for _, f := range d.fields[kind] {
		d.fillBoxes(s)
		want, wantErr := judge(x, f, s)
		slow, asked := boxedWriter(x, f), false
		fast := directWriter(x, f, func(dst []byte, s *scratch) ([]byte, error) {
			asked = true
			return slow(dst, s)
		})
		for name, write := range map[string]writer{"boxed": slow, "direct": fast} {
			clear(s.boxes)
			s.missed = true // by another expression
			got, gotErr := write([]byte("before"), s)
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Fatalf("%s as %s, %s: %v, CEL says %v", x.text, f.Type, name, gotErr, wantErr)
			}
			if gotErr == nil && !bytes.Equal(got, append([]byte("before"), want...)) && !bothNaN(f, got[len("before"):], want) {
				t.Fatalf("%s as %s, %s: %x, CEL says %x", x.text, f.Type, name, got[len("before"):], want)
			}
		}
		if !asked {
			d.plain++
		}
	}
}

// compareKey wants the same of a key.
func (d *differ) compareKey(t rapid.TB, x *expression, s *scratch) {
	want, wantErr := x.boxedKey(s)
	s.missed = true // by another expression
	got, gotErr := x.keyer()(s)
	if !bytes.Equal(got, want) || (got == nil) != (want == nil) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Fatalf("key %s: %q (%v), CEL says %q (%v)", x.text, got, gotErr, want, wantErr)
	}
}

// fillBoxes gives CEL what the floor decodes, so that it is asked of nothing that reads directly.
func (d *differ) fillBoxes(s *scratch) {
	for i := range s.boxes {
		s.boxes[i] = nil
		if v, err := s.value(i); err == nil {
			s.boxes[i] = d.compiler.env.CELTypeAdapter().NativeToValue(v)
		}
	}
}

// judge writes what CEL says as any value is written.
func judge(x *expression, f *rowshape.Field, s *scratch) ([]byte, error) {
	v, err := x.evaluate(s)
	if err != nil {
		return nil, fieldReject(f.Name, err)
	}
	out, err := f.Type.Append(nil, v)
	if err != nil {
		return nil, fieldReject(f.Name, err)
	}
	return out, nil
}

// compareCondition wants the same of a where.
func (d *differ) compareCondition(t rapid.TB, x *expression, s *scratch) {
	boxed := *x
	boxed.direct = nil
	want, wantErr := boxed.holds(s)
	s.missed = true // by another expression
	got, gotErr := x.holds(s)
	if got != want || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Fatalf("where %s: %v (%v), CEL says %v (%v)", x.text, got, gotErr, want, wantErr)
	}
}

// bothNaN: the sign and the payload of what is not a number are nobody's promise.
func bothNaN(f *rowshape.Field, a, b []byte) bool {
	slot, _ := f.Type.Slot()
	x, okX := slot.Real(a)
	y, okY := slot.Real(b)
	return okX && okY && math.IsNaN(x) && math.IsNaN(y)
}

// TestDirectSaysWhatCELSays compares expressions and records at random.
func TestDirectSaysWhatCELSays(t *testing.T) {
	d := newDiffer(t)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(directKinds).Draw(t, "kind")
		x, err := d.compiler.compile(entry{text: expressions(t, kind, rapid.IntRange(1, 3).Draw(t, "depth"))})
		if err != nil {
			return // a constant that overflows
		}
		if x.direct == nil {
			if !x.constant && !strings.Contains(x.text, "null :") && !strings.Contains(x.text, ": null") {
				t.Fatalf("%s is CEL's", x.text)
			}
			return
		}
		d.taken++
		d.compare(t, x, kind, directRow(t, d.shape))
	})
	if d.taken < 20 || d.plain < d.taken/4 {
		t.Errorf("%d expressions were direct, %d outcomes came without CEL: the test tests too little", d.taken, d.plain)
	}
}

// TestEveryDirectConstructSaysWhatCELSays goes through the table of constructs with many records. Each comes out without CEL at times.
func TestEveryDirectConstructSaysWhatCELSays(t *testing.T) {
	d := newDiffer(t)
	all := map[string]*expression{}
	plain := map[string]int{}
	for _, kind := range directKinds {
		for _, text := range constructs[kind] {
			x, err := d.compiler.compile(entry{text: text})
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if x.direct == nil {
				t.Errorf("%s (%s) is CEL's", text, kind)
			}
			all[text] = x
		}
	}
	rows := rapid.Custom(func(t *rapid.T) []byte { return directRow(t, d.shape) })
	for seed := range 400 {
		payload := rows.Example(seed)
		for _, kind := range directKinds {
			for _, text := range constructs[kind] {
				before := d.plain
				d.compare(t, all[text], kind, payload)
				plain[text] += d.plain - before
			}
		}
	}
	for text := range all {
		if plain[text] == 0 {
			t.Errorf("%s never came out without CEL", text)
		}
	}
}

// TestWhatStaysWithCEL: what is not of the table is not taken.
func TestWhatStaysWithCEL(t *testing.T) {
	d := newDiffer(t)
	for _, text := range []string{
		"row.s.matches(row.ns)", "row.ts.getHours(row.s)", "row.s.replace('a', 'b', 1)", "[1, 2].exists(i, i == row.l)", "row.s.indexOf('a', 1)",
		"row.l in []", "{'a': 1, 'b': row.l}[row.s]", "[row.l, 2][0]", "air[row.s]", "row.l", "row.any", "size([row.l])", "row.rec.n + 1",
		"row.ts.getHours('No/Where')", "type(row.l) == int", "uint(row.l) == 1u", "row.s.split('a')", "row.s.format([])",
	} {
		x, err := d.compiler.compile(entry{text: text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if x.direct != nil && x.field < 0 {
			t.Errorf("%s is taken", text)
		}
	}
}

// TestDirectLeavesNothingOfARecordBehind: what CEL was given of one record is not what it is given of the next.
func TestDirectLeavesNothingOfARecordBehind(t *testing.T) {
	d := newDiffer(t)
	x, err := d.compiler.compile(entry{text: "[row.l].map(i, i)[0]"})
	if err != nil || x.direct != nil {
		t.Fatalf("%v, direct %v", err, x)
	}
	rows := rapid.Custom(func(t *rapid.T) []byte { return directRow(t, d.shape) })
	for seed := range 50 {
		if err := d.scratch.load(rows.Example(seed)); err != nil {
			t.Fatal(err)
		}
		want, err := d.shape.Fields[d.shape.Index("l")].Type.Value(d.scratch.bytes(d.shape.Index("l")))
		got, gotErr := x.evaluate(d.scratch)
		if err != nil || gotErr != nil || got != want {
			t.Fatalf("%v (%v), want %v (%v)", got, gotErr, want, err)
		}
		d.scratch.release()
	}
}
