package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/twmb/avro"
)

// Table is rows to be looked at. Next returns io.EOF after the last one; a row is not kept after the next call.
type Table struct {
	Name   string // of the record; characters that Avro's names do not have become underscores
	Header []string
	Next   func() ([]string, error)
}

// InferOptions are settings of Infer.
type InferOptions struct {
	Nulls []string // cells that stand for null, beside the empty one
	Rows  int      // look at so many at most; 0: all
}

// Inferred is a schema that all the rows looked at fit.
type Inferred struct {
	Schema string
	Rows   int
	Notes  []string // what a person should look at
}

// ErrHeader says that a header cannot become fields.
var ErrHeader = errors.New("unusable header")

// Infer finds a record schema for a table. A type is given only where every value is of it: true and false, whole numbers
// without leading zeros or plus, numbers, dates, times of day, points in time, UUIDs, as the row codec reads them; anything
// else is a string. A column with an empty cell or a null token takes null. Numbers that a double would round are decimals.
// It returns Next's error, or one wrapping ErrHeader.
func Infer(t Table, o InferOptions) (Inferred, error) {
	columns, err := newColumns(t.Header)
	if err != nil {
		return Inferred{}, err
	}
	out := Inferred{}
	wide := 0
	for o.Rows == 0 || out.Rows < o.Rows {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Inferred{}, fmt.Errorf("read row %d: %w", out.Rows+1, err)
		}
		out.Rows++
		if len(row) > len(columns) {
			wide++
		}
		for i, c := range columns {
			if i >= len(row) || row[i] == "" || slices.Contains(o.Nulls, row[i]) {
				c.nulls++
			} else {
				c.see(row[i])
			}
		}
	}
	if wide > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d rows have more cells than the header has columns", wide))
	}
	return out, out.conclude(t.Name, columns)
}

func (out *Inferred) conclude(name string, columns []*column) error {
	type field struct {
		Name    string           `json:"name"`
		Type    any              `json:"type"`
		Default *json.RawMessage `json:"default,omitempty"`
		Aliases []string         `json:"aliases,omitempty"`
	}
	record := struct {
		Type   string  `json:"type"`
		Name   string  `json:"name"`
		Fields []field `json:"fields"`
	}{"record", avroName(name, "Row"), []field{}}
	for _, c := range columns {
		kind, note := c.conclude()
		if note != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("column %s: %s", c.header, note))
		}
		f := field{Name: c.name, Type: kind}
		if c.nulls > 0 || c.values == 0 {
			null := json.RawMessage("null")
			f.Type, f.Default = []any{"null", kind}, &null
		}
		if c.name != c.header {
			f.Aliases = []string{c.header}
		}
		record.Fields = append(record.Fields, f)
	}
	text, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	out.Schema, err = Canonical(string(text))
	if err != nil {
		return fmt.Errorf("internal error: inferred schema: %w", err)
	}
	_, err = avro.Parse(out.Schema)
	return err
}

func newColumns(header []string) ([]*column, error) {
	if len(header) == 0 {
		return nil, fmt.Errorf("%w: it has no columns", ErrHeader)
	}
	var out []*column
	places := map[string]int{}
	for i, h := range header {
		if h == "" {
			return nil, fmt.Errorf("%w: column %d has no name", ErrHeader, i+1)
		}
		name := avroName(h, "_")
		if at, taken := places[name]; taken {
			return nil, fmt.Errorf("%w: columns %d and %d would both be called %s", ErrHeader, at+1, i+1, name)
		}
		places[name] = i
		out = append(out, &column{header: h, name: name, open: everyKind})
	}
	return out, nil
}

// avroName makes a text into a name: letters, digits and underscores of ASCII, not beginning with a digit.
func avroName(text, empty string) string {
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, text)
	if name == "" {
		return empty
	}
	if unicode.IsDigit(rune(name[0])) {
		return "_" + name
	}
	return name
}
