// Package mapping is in the processors room: it turns records of one schema into records of another, by a mapping file that a person writes.
//
// A mapping file is YAML:
//
//	where: row.distance > 100          rows for which this is not true are left out (null counts as not true)
//	key: row.carrier                   the record key; without it the input's key stays
//	lookups: {airlines: air-topic}     name and compacted topic: airlines[row.carrier].name is a field of the latest value with that key, or null
//	rest: copy                         fields not named below are copied from the input field of the same name
//	fields:
//	  testout_date: row.date           output field: a CEL expression over row
//	  `hour`: row.`dep-hour`           backticks for names that CEL cannot spell
//	  region: {const: EU}              a constant
//
// Types: int and long are int, float and double are double, enum, uuid and string are string, fixed and bytes are bytes, date and timestamps
// are timestamp, times of day are duration, a decimal is an opaque type with + - * and comparisons, decimal(), string(); a union of several
// types is dyn. An expression that reads a null gives null, unless it tests that field for null itself; whether it may be null is computed
// before the start. Everything is checked against both schemas before the first record. A plain field reference and a constant never enter
// CEL: their bytes are copied.
package mapping

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the size of a mapping file in bytes.
const maxFile = 1 << 20

// File is a parsed mapping file, not yet checked against schemas.
type File struct {
	name     string
	where    *entry
	key      *entry
	copyRest bool
	fields   []entry
	lookups  []*Lookup
}

// entry is one expression, or one constant, with where it stands.
type entry struct {
	field    string
	line     int
	text     string
	constant bool
	value    any
}

// Finding is one thing wrong with a mapping file.
type Finding struct {
	File  string
	Line  int
	Field string // output field, "where" or "key"; "" for the file as a whole
	Text  string // what is wrong and what to do
}

// Error is "file:line: field: what is wrong".
func (f Finding) Error() string {
	where := fmt.Sprintf("%s:%d", f.File, f.Line)
	if f.Field != "" {
		where += ": field " + f.Field
	}
	return where + ": " + f.Text
}

// Findings are all that is wrong, in the order of the file.
type Findings []Finding

// Error joins the findings on one line.
func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "; ")
}

// Parse reads a mapping file; name is for messages. The error is Findings.
func Parse(name string, text []byte) (*File, error) {
	f := &File{name: name}
	if len(text) > maxFile {
		return nil, f.wrong(1, fmt.Sprintf("%d bytes: a mapping file has at most %d", len(text), maxFile))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, f.wrong(1, strings.Join(strings.Fields(err.Error()), " "))
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, f.wrong(1, "expected a mapping with the keys where, key, lookups, rest, fields")
	}
	if err := f.read(doc.Content[0]); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) wrong(line int, text string) error {
	return Findings{{File: f.name, Line: line, Text: text}}
}

func (f *File) read(top *yaml.Node) error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, node := top.Content[i], top.Content[i+1]
		if seen[key.Value] {
			return f.wrong(key.Line, fmt.Sprintf("key %s is there twice: remove one", key.Value))
		}
		seen[key.Value] = true
		if err := f.member(key, node); err != nil {
			return err
		}
	}
	if !seen["fields"] && !f.copyRest {
		return f.wrong(top.Line, "no fields: name output fields under \"fields:\" or say \"rest: copy\"")
	}
	return nil
}

func (f *File) member(key, node *yaml.Node) error {
	switch key.Value {
	case "where", "key":
		e, err := f.entry(key.Value, node)
		if err != nil {
			return err
		}
		if key.Value == "where" {
			f.where = &e
		} else {
			f.key = &e
		}
		return nil
	case "rest":
		if node.Value != "copy" {
			return f.wrong(node.Line, "rest may only be \"copy\"")
		}
		f.copyRest = true
		return nil
	case "lookups":
		return f.readLookups(node)
	case "fields":
		return f.readFields(node)
	}
	return f.wrong(key.Line, fmt.Sprintf("unknown key %q: the keys are where, key, lookups, rest, fields", key.Value))
}

func (f *File) readFields(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return f.wrong(node.Line, "fields: expected lines \"output_field: expression\"")
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := strings.Trim(key.Value, "`")
		if line, twice := seen[name]; twice {
			return f.wrong(key.Line, fmt.Sprintf("field %s is there twice, first on line %d: remove one", name, line))
		}
		seen[name] = key.Line
		e, err := f.entry(name, value)
		if err != nil {
			return err
		}
		f.fields = append(f.fields, e)
	}
	return nil
}

// entry reads an expression or {const: value}.
func (f *File) entry(field string, node *yaml.Node) (entry, error) {
	e := entry{field: field, line: node.Line}
	if node.Kind == yaml.ScalarNode {
		e.text = node.Value
		return e, nil
	}
	if node.Kind != yaml.MappingNode || len(node.Content) != 2 || node.Content[0].Value != "const" {
		return e, Findings{{File: f.name, Line: node.Line, Field: field, Text: "expected an expression or {const: value}"}}
	}
	var value any
	if err := plainValue(node.Content[1], &value); err != nil {
		return e, Findings{{File: f.name, Line: node.Line, Field: field, Text: err.Error()}}
	}
	e.constant, e.value = true, value
	return e, nil
}

var errConstant = errors.New("a constant is a text, a number, true, false or null")

// plainValue decodes a scalar into the Go types that rowshape's Append takes.
func plainValue(node *yaml.Node, value *any) error {
	if node.Kind != yaml.ScalarNode {
		return errConstant
	}
	switch node.Tag {
	case "!!null":
		return nil
	case "!!int":
		var n int64
		if err := node.Decode(&n); err != nil {
			return errConstant
		}
		*value = n
		return nil
	case "!!str", "!!timestamp":
		*value = node.Value
		return nil
	}
	if err := node.Decode(value); err != nil {
		return errConstant
	}
	return nil
}
