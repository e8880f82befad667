package avrotext_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/avro"

	"stripeline/schemas/registry/avrotext"
)

// vectors reads a file of the folder named by STRIPELINE_VECTORS, which holds others' test data and is not part of the project.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	dir := os.Getenv("STRIPELINE_VECTORS")
	if dir == "" {
		t.Skip("skipped: STRIPELINE_VECTORS names no folder of vectors")
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestTextVectors(t *testing.T) {
	var cases []struct{ Input, Text string }
	vectors(t, "avro_text.json", &cases)
	for _, c := range cases {
		doc, err := avrotext.Parse(c.Input, nil, avrotext.Limits{})
		if err != nil {
			t.Errorf("parse %s: %v", c.Input, err)
			continue
		}
		if got := doc.Text(); got != c.Text {
			t.Errorf("text of %s\n got %s\nwant %s", c.Input, got, c.Text)
		}
		again, err := avrotext.Parse(doc.Text(), nil, avrotext.Limits{})
		if err != nil || again.Text() != c.Text {
			t.Errorf("text of the text of %s differs: %v", c.Input, err)
		}
		if _, err := avro.Parse(doc.Plain()); err != nil {
			t.Errorf("plain text of %s is refused: %v", c.Input, err)
		}
	}
}

func TestCanonicalVectors(t *testing.T) {
	var cases []struct {
		Input, Canonical string
		Fingerprint      int64 `json:"fingerprint_int64"`
	}
	vectors(t, "avro_canonical.json", &cases)
	for _, c := range cases {
		doc, err := avrotext.Parse(c.Input, nil, avrotext.Limits{})
		if err != nil {
			t.Errorf("parse %s: %v", c.Input, err)
			continue
		}
		for _, text := range []string{doc.Text(), doc.Normal(), doc.Plain()} {
			schema, err := avro.Parse(text)
			if err != nil {
				t.Errorf("library refuses %s: %v", text, err)
			} else if got := string(schema.Canonical()); got != c.Canonical {
				t.Errorf("canonical form of %s\n got %s\nwant %s", c.Input, got, c.Canonical)
			}
		}
	}
}
