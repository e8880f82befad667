package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// rowForm is how the rows of a text were cut and typed: what a redrive needs beside their bytes. Two headers of a reject hold it:
//
//	columns  a JSON array of the names of the columns, in their order
//	typing   a JSON object of what differed from the defaults; absent when nothing did
type rowForm struct {
	Columns []string `json:"-"`

	Delimiter  string                  `json:"delimiter,omitempty"`
	Quote      string                  `json:"quote,omitempty"` // "none" when nothing quoted
	Escape     string                  `json:"escape,omitempty"`
	Comment    string                  `json:"comment,omitempty"`
	Latin1     bool                    `json:"latin1,omitempty"`
	Nulls      []string                `json:"null,omitempty"`
	ByColumn   map[string]columnOfForm `json:"by_column,omitempty"`
	TimeFormat string                  `json:"time_format,omitempty"`
	DateFormat string                  `json:"date_format,omitempty"`
	Trim       bool                    `json:"trim,omitempty"`
	Extra      string                  `json:"extra,omitempty"`         // "ignore", or absent
	Key        []string                `json:"key,omitempty"`           // columns
	KeySchema  int                     `json:"key_schema_id,omitempty"` // of Avro keys: another schema would make another key
	Provenance bool                    `json:"provenance,omitempty"`
}

type columnOfForm struct {
	Nulls  []string `json:"null,omitempty"`
	Format string   `json:"format,omitempty"`
}

const (
	headerColumns = "columns"
	headerTyping  = "typing"

	formNoQuote = "none"
	formIgnore  = "ignore"
)

// errForm says that headers of a reject hold no form.
var errForm = errors.New("form of the row cannot be read")

// formOf gives the form of the rows of a text with these columns. keySchema is the id of the schema of Avro keys.
func formOf(p *ProduceCSV, columns []string, keySchema int) rowForm {
	f := rowForm{
		Columns: columns, Escape: oneByte(p.CSV.Escape, 0), Comment: oneByte(p.CSV.Comment, 0), Delimiter: oneByte(p.CSV.Delimiter, ','),
		Quote: oneByte(p.CSV.Quote, '"'), Latin1: p.CSV.Latin1,
		Nulls: p.Cells.Nulls, TimeFormat: p.Cells.TimeFormat, DateFormat: p.Cells.DateFormat, Trim: p.Cells.Trim,
		Key: p.Key, Provenance: p.Provenance,
	}
	if p.AvroKey != nil {
		f.KeySchema = keySchema
	}
	if p.CSV.Quote == NoQuote {
		f.Quote = formNoQuote
	}
	if p.Cells.IgnoreExtra {
		f.Extra = formIgnore
	}
	for name, c := range p.Cells.Columns {
		if f.ByColumn == nil {
			f.ByColumn = map[string]columnOfForm{}
		}
		f.ByColumn[name] = columnOfForm(c)
	}
	return f
}

// oneByte is a byte as text, "" for the one that needs no word.
func oneByte(b, usual byte) string {
	if b == 0 || b == usual {
		return ""
	}
	return string(rune(b))
}

// headers gives the form as headers of a reject, none where they could not be read back exactly: names that are not UTF-8.
func (f *rowForm) headers() []schemas.Header {
	for _, name := range f.Columns {
		if !utf8.ValidString(name) {
			return nil
		}
	}
	columns, err := json.Marshal(f.Columns)
	if err != nil || f.Columns == nil {
		return nil
	}
	headers := []schemas.Header{{Key: headerColumns, Value: columns}}
	if typing, err := json.Marshal(f); err == nil && string(typing) != "{}" {
		headers = append(headers, schemas.Header{Key: headerTyping, Value: typing})
	}
	return headers
}

// readForm reads a form back from the headers of a reject; without them it is the zero form. What cannot be read is errForm.
func readForm(facts map[string]string) (rowForm, error) {
	var f rowForm
	if text := facts[headerTyping]; text != "" {
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return rowForm{}, fmt.Errorf("%w: header %s: %w", errForm, headerTyping, err)
		}
	}
	if text := facts[headerColumns]; text != "" {
		if err := json.Unmarshal([]byte(text), &f.Columns); err != nil {
			return rowForm{}, fmt.Errorf("%w: header %s: %w", errForm, headerColumns, err)
		}
	}
	for _, text := range []string{f.Delimiter, f.Quote, f.Escape, f.Comment} {
		if len(text) > 1 && text != formNoQuote || text >= "\x80" {
			return rowForm{}, fmt.Errorf("%w: header %s: %q is not one ASCII character", errForm, headerTyping, text)
		}
	}
	return f, nil
}

// fill gives p with the form where p says nothing itself.
func (f *rowForm) fill(p ProduceCSV) ProduceCSV {
	if p.CSV.Columns == nil {
		p.CSV.Columns = f.Columns
	}
	for _, b := range []struct {
		to   *byte
		text string
	}{{&p.CSV.Delimiter, f.Delimiter}, {&p.CSV.Quote, f.Quote}, {&p.CSV.Escape, f.Escape}, {&p.CSV.Comment, f.Comment}} {
		switch {
		case *b.to != 0 || b.text == "":
		case b.text == formNoQuote:
			*b.to = NoQuote
		default:
			*b.to = b.text[0]
		}
	}
	p.CSV.Latin1 = p.CSV.Latin1 || f.Latin1
	p.Provenance = p.Provenance || f.Provenance
	if p.Key == nil {
		p.Key = f.Key
	}
	if p.AvroKey == nil && f.KeySchema != 0 {
		p.AvroKey = &AvroKey{Pin: Pin{ID: f.KeySchema}}
	}
	f.fillCells(&p.Cells)
	return p
}

func (f *rowForm) fillCells(o *rowplan.Options) {
	if o.Nulls == nil {
		o.Nulls = f.Nulls
	}
	if o.TimeFormat == "" {
		o.TimeFormat = f.TimeFormat
	}
	if o.DateFormat == "" {
		o.DateFormat = f.DateFormat
	}
	o.Trim = o.Trim || f.Trim
	o.IgnoreExtra = o.IgnoreExtra || f.Extra == formIgnore
	columns := map[string]rowplan.Column{}
	for name, c := range f.ByColumn {
		columns[name] = rowplan.Column(c)
	}
	for name, c := range o.Columns {
		known := columns[name]
		if c.Nulls == nil {
			c.Nulls = known.Nulls
		}
		if c.Format == "" {
			c.Format = known.Format
		}
		columns[name] = c
	}
	o.Columns = columns
}
