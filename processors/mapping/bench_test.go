package mapping_test

import (
	"testing"

	"github.com/twmb/avro"

	"stripeline/processors/mapping"
	"stripeline/schemas/rowshape"
)

// BenchmarkAppend maps one record again and again: by copies alone, by expressions that need no CEL, by two that do.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ name, outType, text string }{
		{"copy", `"string"`, "row.date"},
		{"constant", `"string"`, "'x'"},
		{"whole", `"long"`, "row.count * 2 + 1"},
		{"real", `["null","double"]`, "row.delay * 2.0"},
		{"choice", `"double"`, "row.delay == null ? 0.0 : row.delay"},
		{"text", `"string"`, "row.date + '-' + string(row.count)"},
		{"replace", `"string"`, "row.date.replace('-', '/')"},
		{"split", `"string"`, "row.date.split('-')[1]"},
		{"matches", `"boolean"`, "row.date.matches('^20[0-9]+-')"},
		{"in", `"boolean"`, "row.count in [1, 2, 3]"},
		{"year", `"int"`, "row.at.getFullYear()"},
		{"hours in a zone", `"int"`, "row.at.getHours('-05:00')"},
		{"timestamp", timestampOut, "row.at + duration('25h')"},
		{"timestamp of text", timestampOut, "timestamp(row.date + 'T00:00:00Z')"},
		{"decimal", decimalOut, "row.price * decimal('1.19')"},
		{"decimal text", `"string"`, "string(row.price)"},
		{"cel", `"boolean"`, "[row.count].exists(i, i > 2)"},
		{"cel text", `"string"`, "row.date.split('-').join('/')"},
	} {
		b.Run(c.name, func(b *testing.B) {
			plan, payload := benchPlan(b, c.outType, c.text)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, _, _, err = plan.Append(dst[:0], mapping.Row{Payload: payload}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const (
	timestampOut = `{"type":"long","logicalType":"timestamp-millis"}`
	decimalOut   = `{"type":"bytes","logicalType":"decimal","precision":12,"scale":4}`
)

func benchPlan(b *testing.B, outType, text string) (*mapping.Plan, []byte) {
	b.Helper()
	in, err := rowshape.Parse(inSchema)
	if err != nil {
		b.Fatal(err)
	}
	out, err := rowshape.Parse(outSchema(outType))
	if err != nil {
		b.Fatal(err)
	}
	f, err := mapping.Parse("map.yaml", []byte("fields:\n  x: "+quoted(text)+"\n"))
	if err != nil {
		b.Fatal(err)
	}
	plan, err := mapping.Compile(f, in, out)
	if err != nil {
		b.Fatal(err)
	}
	payload, err := avro.MustParse(inSchema).Encode(record(nil))
	if err != nil {
		b.Fatal(err)
	}
	return plan, payload
}
