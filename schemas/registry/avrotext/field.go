package avrotext

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What Avro Java reserves; everything else is a property and is kept as it was written.
var (
	schemaReserved = []string{"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}
	fieldReserved  = []string{"default", "doc", "name", "order", "type", "aliases"}
)

func props(v Value, reserved []string) []Member {
	var out []Member
	for _, m := range v.Members {
		if !slices.Contains(reserved, m.Key) {
			out = append(out, m)
		}
	}
	return out
}

func (p *parser) fields(s *Schema, v Value) error {
	list, ok := v.Get("fields")
	if !ok || list.Kind != Array {
		return fmt.Errorf("%w: record %s without fields", ErrSchema, s.Name.Full())
	}
	for _, item := range list.Items {
		f, err := p.field(item, s.Name)
		if err != nil {
			return err
		}
		s.Fields = append(s.Fields, f)
	}
	return nil
}

func (p *parser) field(v Value, record Name) (Field, error) {
	name, ok := v.text("name")
	if !ok {
		return Field{}, fmt.Errorf("%w: a field of record %s has no name", ErrSchema, record.Full())
	}
	kind, ok := v.Get("type")
	if !ok {
		return Field{}, fmt.Errorf("%w: field %s of record %s has no type", ErrSchema, name, record.Full())
	}
	inner, err := p.schema(kind, record.Space)
	if err != nil {
		return Field{}, err
	}
	f := Field{Name: name, Type: inner, Props: props(v, fieldReserved)}
	if doc, ok := v.text("doc"); ok {
		f.Doc = &doc
	}
	return f, f.readRest(v)
}

func (f *Field) readRest(v Value) error {
	if order, ok := v.text("order"); ok {
		if order = strings.ToLower(order); order != "ascending" {
			f.Order = order
		}
		if !slices.Contains([]string{"ascending", "descending", "ignore"}, order) {
			return fmt.Errorf("%w: field %s has order %q", ErrSchema, f.Name, order)
		}
	}
	aliases, err := stringList(v, "aliases")
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		if !slices.Contains(f.Aliases, alias) {
			f.Aliases = append(f.Aliases, alias)
		}
	}
	if def, ok := v.Get("default"); ok {
		f.Default, err = f.defaultOf(def)
	}
	return err
}

// defaultOf turns a default written as text into a number where the field is a float or a double, as Avro Java does.
func (f *Field) defaultOf(v Value) (*Value, error) {
	if v.Kind != String || (f.Type.Type != "float" && f.Type.Type != "double") {
		return &v, nil
	}
	if slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, v.Text) {
		return &v, nil
	}
	d, err := strconv.ParseFloat(v.Text, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: field %s has default %q", ErrSchema, f.Name, v.Text)
	}
	return &Value{Kind: Number, Text: strconv.FormatFloat(d, 'e', -1, 64)}, nil
}

func stringList(v Value, key string) ([]string, error) {
	list, ok := v.Get(key)
	if !ok {
		return nil, nil
	}
	if list.Kind != Array {
		return nil, fmt.Errorf("%w: %s is not an array in %s", ErrSchema, key, clip(v))
	}
	out := make([]string, 0, len(list.Items))
	for _, item := range list.Items {
		if item.Kind != String {
			return nil, fmt.Errorf("%w: %s holds something that is not a string in %s", ErrSchema, key, clip(v))
		}
		out = append(out, item.Text)
	}
	return out, nil
}

// clip is the start of a value, for messages.
func clip(v Value) string {
	const most = 120
	text := string(appendValue(nil, v))
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
