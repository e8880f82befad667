package mapping_test

import (
	"errors"
	"testing"

	"stripeline/processors/mapping"
	"stripeline/schemas"
	"stripeline/schemas/rowshape"
)

// FuzzFile: any text is a mapping file or Findings that name the file, and any payload that a mapping file is used on is a row or a reject.
func FuzzFile(f *testing.F) {
	in, err := rowshape.Parse(inSchema)
	if err != nil {
		f.Fatal(err)
	}
	out, err := rowshape.Parse(outSchema(`["null","long","string","double"]`))
	if err != nil {
		f.Fatal(err)
	}
	payload := []byte("\x142013-01-01\x06\x02\x00\x00\x00\x00\x00\x00\x04@\x00\x04\x04\xe2\x00\x02\x0a\x02\x12")
	for _, text := range []string{
		"fields:\n  x: row.count * 2\n", "where: row.delay > 1.0\nkey: row.date\nfields: {x: {const: EU}}\n", "rest: copy\nfields:\n  x: row.`date`\n",
		"lookups: {air: topic}\nfields:\n  x: air[row.date].name\n", "fields:\n  x: 'row.inner.n == null ? 0 : row.inner.n'\n",
		"fields:\n  x: '[1,2].map(i, i * row.count)[0]'\n", "fields: &a {x: *a}\n", "fields:\n  x: row.any\n", "{}", "- 1\n", "fields: {x: {const: .inf}}",
	} {
		f.Add([]byte(text), payload)
	}
	f.Fuzz(func(t *testing.T, text, payload []byte) {
		if len(text) > 2000 || len(payload) > 2000 {
			return
		}
		file, err := mapping.Parse("map.yaml", text)
		if err != nil {
			wantFindings(t, err)
			return
		}
		for _, l := range file.Lookups() {
			l.Shape, l.Find = out, func(string) map[string]any { return nil }
		}
		plan, err := mapping.Compile(file, in, out)
		if err != nil {
			wantFindings(t, err)
			return
		}
		if _, _, _, err := plan.Append(nil, mapping.Row{Key: payload, Payload: payload}); err != nil {
			if _, ok := schemas.AsReject(err); !ok {
				t.Fatalf("%q on %x: %v is no reject", text, payload, err)
			}
		}
	})
}

// wantFindings wants an error that a person can find in the file.
func wantFindings(t *testing.T, err error) {
	t.Helper()
	var findings mapping.Findings
	if !errors.As(err, &findings) || len(findings) == 0 || findings[0].File != "map.yaml" || findings[0].Line < 1 || findings[0].Text == "" {
		t.Fatalf("%T %v", err, err)
	}
}
