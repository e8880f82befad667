package container

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/hamba/avro/v2/ocf"
)

const schema = `{"type":"record","name":"row","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]}`

func TestAnIndependentReaderReadsWhatWasWritten(t *testing.T) {
	for _, codec := range []string{"", "null", "snappy", "zstandard"} {
		var file bytes.Buffer
		w, err := NewWriter(&file, Header{Schema: schema, Codec: codec, Facts: map[string]string{"stripeline.topic": "flights"}})
		if err != nil {
			t.Fatal(err)
		}
		before := w.Size()
		for range 3000 {
			if err := w.Add([]byte("\x08\x06ann")); err != nil {
				t.Fatal(err)
			}
		}
		if w.Size() <= before {
			t.Errorf("%q: %d bytes before and %d after 3000 records", codec, before, w.Size())
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := ocf.NewDecoder(&file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for r.HasNext() {
			var row struct {
				ID   int64  `avro:"id"`
				Name string `avro:"name"`
			}
			if err := r.Decode(&row); err != nil || row.ID != 4 || row.Name != "ann" {
				t.Fatalf("%q: %+v %v", codec, row, err)
			}
			n++
		}
		if n != 3000 || r.Error() != nil || string(r.Metadata()["stripeline.topic"]) != "flights" {
			t.Errorf("%q: %d records, %v", codec, n, r.Error())
		}
	}
}

func TestUnknownCodecsAndSchemasAreRefused(t *testing.T) {
	if _, err := NewWriter(io.Discard, Header{Schema: schema, Codec: "lzma"}); !errors.Is(err, ErrCodec) {
		t.Errorf("%v", err)
	}
	if err := CheckCodec("lzma"); !errors.Is(err, ErrCodec) {
		t.Errorf("%v", err)
	}
	if _, err := NewWriter(io.Discard, Header{Schema: "{"}); err == nil {
		t.Error("half a schema was taken")
	}
}
