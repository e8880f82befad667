package pipeline

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// factsOf is what a reject with these headers says.
func factsOf(headers []schemas.Header) map[string]string {
	record := &kafka.Record{Timestamp: time.Unix(0, 0)}
	for _, h := range headers {
		record.Headers = append(record.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return rejectOf(record).Facts
}

func TestAFormComesBackFromItsHeaders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 5, -1)
		texts := rapid.SliceOfN(text, 1, 3)
		sign := rapid.ByteRange(0, 0x7f)
		p := ProduceCSV{
			CSV: CSVOptions{Delimiter: sign.Draw(t, "delimiter"), Quote: rapid.OneOf(sign, rapid.Just[byte](NoQuote)).Draw(t, "quote"),
				Escape: sign.Draw(t, "escape"), Comment: sign.Draw(t, "comment"), Latin1: rapid.Bool().Draw(t, "latin1")},
			Key: texts.Draw(t, "key"), Provenance: rapid.Bool().Draw(t, "provenance"),
			Cells: rowplan.Options{Nulls: texts.Draw(t, "nulls"), TimeFormat: text.Draw(t, "time"), DateFormat: text.Draw(t, "date"),
				Trim: rapid.Bool().Draw(t, "trim"), IgnoreExtra: rapid.Bool().Draw(t, "extra"),
				Columns: map[string]rowplan.Column{text.Draw(t, "column"): {Nulls: texts.Draw(t, "its nulls"), Format: text.Draw(t, "its format")}}},
		}
		if rapid.Bool().Draw(t, "avro key") {
			p.AvroKey = &AvroKey{Pin: Pin{ID: 7}}
		}
		columns := texts.Draw(t, "columns")
		form := formOf(&p, columns, 7)
		said, err := readForm(factsOf(form.headers()))
		if err != nil {
			t.Fatal(err)
		}
		got := said.fill(ProduceCSV{})
		p.CSV.Columns = columns
		for b, usual := range map[*byte]byte{&p.CSV.Delimiter: ',', &p.CSV.Quote: '"'} {
			if *b == usual {
				*b = 0 // the same
			}
		}
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v\nbecame %+v", p, got)
		}
	})
}

func TestWhatIsGivenComesBeforeTheForm(t *testing.T) {
	said := rowForm{Columns: []string{"a"}, Delimiter: ";", Quote: formNoQuote, Nulls: []string{"NA"}, Key: []string{"a"}, TimeFormat: "epoch",
		ByColumn: map[string]columnOfForm{"a": {Nulls: []string{"x"}, Format: "epoch-ms"}, "b": {Nulls: []string{"y"}}}}
	got := said.fill(ProduceCSV{Key: []string{"b"}, CSV: CSVOptions{Columns: []string{"b"}, Delimiter: '|', Quote: '\''},
		Cells: rowplan.Options{Nulls: []string{"none"}, TimeFormat: "epoch-s", Columns: map[string]rowplan.Column{"a": {Nulls: []string{"z"}}}}})
	want := ProduceCSV{Key: []string{"b"}, CSV: CSVOptions{Columns: []string{"b"}, Delimiter: '|', Quote: '\''},
		Cells: rowplan.Options{Nulls: []string{"none"}, TimeFormat: "epoch-s",
			Columns: map[string]rowplan.Column{"a": {Nulls: []string{"z"}, Format: "epoch-ms"}, "b": {Nulls: []string{"y"}}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAFormThatIsTooLongForTheHeadersIsLeftOut(t *testing.T) {
	form := formOf(&ProduceCSV{}, []string{"a column with a long name"}, 0)
	r := &rowRejects{form: form.headers(), room: 100}
	if got := r.formThatFits(); len(got) != 1 {
		t.Errorf("%q does not fit %d bytes", got, r.room)
	}
	if r.room = 60; r.formThatFits() != nil {
		t.Error("it fits half of 60 bytes")
	}
}

// FuzzRejectHeaders: whatever the headers hold, reading them ends without a panic; and a form that was read is written and read again as the same.
func FuzzRejectHeaders(f *testing.F) {
	f.Add("columns", []byte(`["a","b"]`), "typing", []byte(`{"delimiter":"|","null":["NA"],"by_column":{"a":{"null":["x"]}},"extra":"ignore"}`))
	f.Add("typing", []byte(`{"quote":"none","escape":"\\"}`), "columns", []byte(`[""]`))
	f.Add("typing", []byte(`{"delimiter":"\u00e9"}`), "truncated", []byte{0xff})
	f.Add("columns", []byte(`{}`), "attempt", []byte("-1"))
	f.Fuzz(func(t *testing.T, name1 string, value1 []byte, name2 string, value2 []byte) {
		facts := factsOf([]schemas.Header{{Key: name1, Value: value1}, {Key: name2, Value: value2}})
		form, err := readForm(facts)
		if err != nil || form.Columns == nil {
			return
		}
		first := form.fill(ProduceCSV{})
		written := formOf(&first, first.CSV.Columns, keyID(first))
		headers := written.headers()
		for _, column := range first.CSV.Columns {
			if !utf8.ValidString(column) {
				t.Fatalf("column %q was read", column)
			}
		}
		again, err := readForm(factsOf(headers))
		if err != nil {
			t.Fatalf("%q: %v", headers, err)
		}
		if second := again.fill(ProduceCSV{}); asJSON(t, first) != asJSON(t, second) {
			t.Fatalf("%s\nbecame %s", asJSON(t, first), asJSON(t, second))
		}
	})
}

// asJSON shows a journey's form; empty and absent lists look alike where they mean the same.
func asJSON(t *testing.T, p ProduceCSV) string {
	t.Helper()
	form := formOf(&p, p.CSV.Columns, keyID(p))
	text, err := json.Marshal(form)
	if err != nil {
		t.Fatal(err)
	}
	columns, _ := json.Marshal(p.CSV.Columns)
	return string(text) + string(columns)
}

func keyID(p ProduceCSV) int {
	if p.AvroKey == nil {
		return 0
	}
	return p.AvroKey.Pin.ID
}
