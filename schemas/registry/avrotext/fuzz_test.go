package avrotext_test

import (
	"testing"

	"github.com/twmb/avro"

	"stripeline/schemas/registry/avrotext"
)

// FuzzParse: what parses gives texts that parse again to the same, and the Avro library finds the same canonical form in
// all of them.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`"int"`, `{"type":"string"}`, `[]`, `["null",{"type":"map","values":"R"}]`,
		`{"type":"record","name":"a.R","fields":[{"name":"x","type":["null","R"],"default":null,"order":"ignore","aliases":["y"]}],"aliases":["b.C","D"]}`,
		`{"type":"enum","name":"E","symbols":["A"],"default":"A","doc":"\u00e9"}`,
		`{"type":"fixed","name":"F","namespace":"","size":4,"logicalType":"decimal","precision":1e1}`,
		`{"type":"record","name":"R","fields":[{"name":"d","type":"double","default":"-1e-9"},{"name":"l","type":"long","default":-0}]}`,
		`{"type":"record","name":"n.int","fields":[{"name":"s","type":"n.int"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := avrotext.Parse(text, nil, avrotext.Limits{})
		if err != nil {
			return
		}
		for name, write := range map[string]func(*avrotext.Document) string{
			"text": (*avrotext.Document).Text, "normal": (*avrotext.Document).Normal,
			"plain": (*avrotext.Document).Plain, "resolved": (*avrotext.Document).Resolved,
		} {
			once := write(doc)
			again, err := avrotext.Parse(once, nil, avrotext.Limits{})
			if err != nil {
				if _, err := avro.Parse(doc.Plain()); err == nil {
					t.Errorf("%s of %q does not parse: %q: %v", name, text, once, err)
				}
				continue
			}
			if twice := write(again); twice != once {
				t.Errorf("%s of %q is %q, and of that %q", name, text, once, twice)
			}
		}
		sameMeaning(t, doc)
	})
}

func sameMeaning(t *testing.T, doc *avrotext.Document) {
	t.Helper()
	plain, err := avro.Parse(doc.Plain())
	if err != nil {
		return
	}
	for _, text := range []string{doc.Text(), doc.Normal()} {
		again, err := avrotext.Parse(text, nil, avrotext.Limits{})
		if err != nil {
			continue
		}
		other, err := avro.Parse(again.Plain())
		if err != nil || string(other.Canonical()) != string(plain.Canonical()) {
			t.Errorf("%s means something else: %v", text, err)
		}
	}
}
