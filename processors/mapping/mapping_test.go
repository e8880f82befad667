package mapping_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/processors/mapping"
	"stripeline/schemas"
	"stripeline/schemas/rowshape"
)

const inSchema = `{"type":"record","name":"in","fields":[
 {"name":"date","type":"string"},
 {"name":"count","type":"int"},
 {"name":"delay","type":["null","double"]},
 {"name":"note","type":["null","string"]},
 {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"any","type":["null","long","string"]},
 {"name":"inner","type":["null",{"type":"record","name":"inner","fields":[{"name":"n","type":"long"}]}]}]}`

func record(changes map[string]any) map[string]any {
	v := map[string]any{"date": "2013-01-01", "count": int32(3), "delay": 2.5, "note": nil, "price": big.NewRat(1250, 100),
		"at": time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC), "any": int64(5), "inner": map[string]any{"n": int64(9)}}
	for name, value := range changes {
		v[name] = value
	}
	return v
}

// compile maps in to a record "out" with one field x of the given type.
func compile(t *testing.T, outType, file string) (*mapping.Plan, error) {
	t.Helper()
	in, err := rowshape.Parse(inSchema)
	if err != nil {
		t.Fatal(err)
	}
	out, err := rowshape.Parse(outSchema(outType))
	if err != nil {
		t.Fatal(err)
	}
	f, err := mapping.Parse("map.yaml", []byte(file))
	if err != nil {
		return nil, err
	}
	return mapping.Compile(f, in, out)
}

func outSchema(outType string) string {
	return fmt.Sprintf(`{"type":"record","name":"out","fields":[{"name":"x","type":%s}]}`, outType)
}

func apply(t *testing.T, p *mapping.Plan, value map[string]any, outType string) (any, string, error) {
	t.Helper()
	payload, err := avro.MustParse(inSchema).Encode(value)
	if err != nil {
		t.Fatal(err)
	}
	var got any
	var key string
	err = p.Map(mapping.Row{Key: []byte("old"), Payload: payload}, func(r mapping.Row) {
		var out map[string]any
		if rest, err := avro.MustParse(outSchema(outType)).Decode(r.Payload, &out); err != nil || len(rest) > 0 {
			t.Fatalf("library cannot read what was written: %v", err)
		}
		got, key = out["x"], string(r.Key)
	})
	return got, key, err
}

func TestExpressions(t *testing.T) {
	maybe := func(s string) string { return `["null",` + s + `]` }
	money := `{"type":"bytes","logicalType":"decimal","precision":12,"scale":4}`
	for _, c := range []struct {
		outType, expression string
		changes             map[string]any
		want                string
	}{
		{`"string"`, `row.date`, nil, "2013-01-01"},
		{`"long"`, `row.count`, nil, "3"},
		{`"double"`, `row.count`, nil, "3"},
		{maybe(`"int"`), `row.count`, nil, "3"},
		{`["string","null"]`, `row.note`, map[string]any{"note": "hi"}, "hi"},
		{`["string","null"]`, `row.note`, nil, "<nil>"},
		{`"long"`, `row.count * 2 + 1`, nil, "7"},
		{maybe(`"double"`), `row.delay + 1.0`, nil, "3.5"},
		{maybe(`"double"`), `row.delay + 1.0`, map[string]any{"delay": nil}, "<nil>"},
		{`"double"`, `row.delay == null ? 0.0 : row.delay`, map[string]any{"delay": nil}, "0"},
		{`"double"`, `row.delay != null && row.count > 1 ? row.delay : -1.0`, nil, "2.5"},
		{`"boolean"`, `has(row.delay)`, map[string]any{"delay": nil}, "false"},
		{`"string"`, `'a' + 'b'`, nil, "ab"},
		{`"string"`, `row.date.split('-')[0] + string(row.count)`, nil, "20133"},
		{`"string"`, `string(row.price)`, nil, "12.50"},
		{money, `row.price * decimal('1.19') + row.price - row.price`, nil, "119/8"},
		{`"boolean"`, `row.price > decimal('12.49') && row.price <= decimal('12.5')`, nil, "true"},
		{`"int"`, `row.at.getFullYear()`, nil, "2013"},
		{`{"type":"int","logicalType":"date"}`, `row.at + duration('25h')`, nil, "2013-01-02 00:00:00 +0000 UTC"},
		{maybe(`"long"`), `row.inner.n + 1`, nil, "10"},
		{maybe(`"long"`), `row.inner.n + 1`, map[string]any{"inner": nil}, "<nil>"},
		{maybe(`"long"`), `row.any`, nil, "5"},
		{`["null","string","long"]`, `row.any`, map[string]any{"any": "t"}, "t"},
		{`"string"`, `{const: EU}`, nil, "EU"},
		{`{"type":"enum","name":"e","symbols":["A","B"]}`, `row.count > 2 ? 'B' : 'A'`, nil, "B"},
		{`{"type":"array","items":"long"}`, `[row.count, 7]`, nil, "[3 7]"},
	} {
		plan, err := compile(t, c.outType, "fields:\n  x: "+quoted(c.expression)+"\n")
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		got, _, err := apply(t, plan, record(c.changes), c.outType)
		if r, ok := got.(*big.Rat); ok {
			got = r.String()
		}
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s = %v (%v), want %s", c.expression, got, err, c.want)
		}
	}
}

// endless is an expression of loops in loops, ten times as many steps with each.
func endless(depth int) string {
	if depth == 0 {
		return "1"
	}
	return "size([0,1,2,3,4,5,6,7,8,9].map(i, " + endless(depth-1) + "))"
}

// quoted makes a YAML scalar of an expression, but leaves a flow mapping alone.
func quoted(expression string) string {
	if strings.HasPrefix(expression, "{") {
		return expression
	}
	return `"` + strings.ReplaceAll(expression, `"`, `\"`) + `"`
}

func TestWhatDoesNotTypeCheckNamesFileLineFieldAndBothTypes(t *testing.T) {
	for _, c := range []struct{ outType, file, want string }{
		{`"long"`, "fields:\n  x: row.date\n", "map.yaml:2: field x: expression gives string, schema out wants long"},
		{`"long"`, "fields:\n  x: row.delay\n", "expression gives null or double, schema out wants long"},
		{`"double"`, "fields:\n  x: row.delay\n", "expression may be null, schema out wants double"},
		{`"double"`, "fields:\n  x: row.delay + 1.0\n", "expression may be null"},
		{`"double"`, "fields:\n  x: 'row.delay == null ? row.delay : 1.0'\n", "expression may be null"},
		{`"long"`, "fields:\n  x: row.inner.n\n", "expression may be null"},
		{`"long"`, "fields:\n  x: row.nothing\n", "undefined field 'nothing'"},
		{`"long"`, "fields:\n  x: row.count +\n", "Syntax error"},
		{`"long"`, "fields:\n  x: size(row)\n", "map.yaml:2: field x: "},
		{`"long"`, "fields:\n  x: row.count\n  y: row.count\n", "map.yaml:3: field y: is not in output schema out"},
		{`"long"`, "fields:\n  x: row.count\n  x: row.count\n", "twice"},
		{`"long"`, "fields:\n  x: " + endless(12) + "\n", "actual cost limit exceeded"},
		{`"long"`, "rest: copy\n", "has no default"},
		{`"long"`, "fields: {}\nwere: true\n", "unknown key \"were\""},
		{`"long"`, "fields:\n  x: row.count\nwhere: row.count\n", "where needs bool"},
		{`"int"`, "fields:\n  x: {const: 3000000000}\n", "does not fit"},
		{`{"type":"enum","name":"e","symbols":["A"]}`, "fields:\n  x: {const: Z}\n", "does not fit"},
		{`"long"`, "fields: [\n", "map.yaml:1"},
	} {
		_, err := compile(t, c.outType, c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want ...%s...", c.file, err, c.want)
		}
	}
}

func TestWhereAndKey(t *testing.T) {
	plan, err := compile(t, `"int"`, "where: row.delay > 1.0\nkey: row.date + '!'\nfields:\n  x: row.count\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		delay any
		want  string
	}{{2.0, "3 2013-01-01!"}, {0.5, "<nil> "}, {nil, "<nil> "}} {
		got, key, err := apply(t, plan, record(map[string]any{"delay": c.delay}), `"int"`)
		if s := fmt.Sprint(got, " ", key); err != nil || s != c.want {
			t.Errorf("delay %v: %q (%v), want %q", c.delay, s, err, c.want)
		}
	}
}

func TestARowThatCannotBeMappedIsAReject(t *testing.T) {
	for _, expression := range []string{"row.count * 1000000000", "10 / (row.count - 3)", "int(row.date)"} {
		plan, err := compile(t, `"int"`, "fields:\n  x: "+expression+"\n")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = apply(t, plan, record(nil), `"int"`)
		if reject, ok := schemas.AsReject(err); !ok || !strings.Contains(reject.Message, "output field x") {
			t.Errorf("%s: %v is no reject of field x", expression, err)
		}
	}
	plan, _ := compile(t, `"int"`, "fields:\n  x: row.count\n")
	err := plan.Map(mapping.Row{Payload: []byte{1}}, func(mapping.Row) { t.Error("emitted") })
	if _, ok := schemas.AsReject(err); !ok {
		t.Errorf("truncated payload: %v is no reject", err)
	}
}

func TestMapKeepsTheLawsOfAStage(t *testing.T) {
	plan, err := compile(t, `["null","double"]`, "where: row.count > 0\nkey: row.note\nfields:\n  x: row.delay * double(10 / (row.count - 3))\n")
	if err != nil {
		t.Fatal(err)
	}
	schema := avro.MustParse(inSchema)
	lawtest.Stage(t, plan.Map, func(t *rapid.T) mapping.Row {
		value := record(map[string]any{"count": rapid.Int32Range(-2, 6).Draw(t, "count")})
		if rapid.Bool().Draw(t, "null") {
			value["delay"] = nil
		}
		if rapid.Bool().Draw(t, "noted") {
			value["note"] = rapid.String().Draw(t, "note")
		}
		payload, err := schema.Encode(value)
		if err != nil {
			t.Fatal(err)
		}
		return mapping.Row{Key: []byte("k"), Payload: payload[:rapid.IntRange(0, 1).Draw(t, "cut")*3+len(payload)-3]}
	})
}

func FuzzMappingFile(f *testing.F) {
	f.Add("where: row.count > 1\nfields:\n  x: row.count\n")
	f.Add("fields:\n  x: {const: 1}\nrest: copy\n")
	in, _ := rowshape.Parse(inSchema)
	out, _ := rowshape.Parse(outSchema(`"long"`))
	f.Fuzz(func(t *testing.T, text string) {
		file, err := mapping.Parse("f", []byte(text))
		if err == nil {
			_, _ = mapping.Compile(file, in, out)
		}
	})
}

func BenchmarkMap(b *testing.B) {
	in, _ := rowshape.Parse(inSchema)
	out, _ := rowshape.Parse(`{"type":"record","name":"out","fields":[{"name":"a","type":"string"},{"name":"b","type":"long"},{"name":"c","type":["null","double"]}]}`)
	payload, err := avro.MustParse(inSchema).Encode(record(nil))
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"rename":   "fields:\n  a: row.date\n  b: row.count\n  c: row.delay\n",
		"computed": "fields:\n  a: row.date\n  b: row.count * 2\n  c: row.delay + 1.0\n",
	} {
		b.Run(name, func(b *testing.B) {
			file, err := mapping.Parse("f", []byte(text))
			if err != nil {
				b.Fatal(err)
			}
			plan, err := mapping.Compile(file, in, out)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				if buf, _, _, err = plan.Append(buf[:0], mapping.Row{Payload: payload}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
