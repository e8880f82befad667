package mapping

import (
	"fmt"
	"reflect"
	"regexp"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"go.yaml.in/yaml/v3"

	"stripeline/schemas/rowshape"
)

// Lookup is a table that a mapping file names: Name[key] in an expression is the latest value of the topic's record with that key, or null. Whoever
// runs the mapping gives it Shape before Compile and Find before the first record.
type Lookup struct {
	Name  string
	Topic string
	Shape *rowshape.Shape                 // of the topic's values
	Find  func(key string) map[string]any // nil for a key that is not there; the Go types are those of rowshape
	line  int
}

// Lookups are the tables that the file names.
func (f *File) Lookups() []*Lookup { return f.lookups }

var lookupName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (f *File) readLookups(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return f.wrong(node.Line, "lookups: expected lines \"name: topic\"")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.Kind != yaml.ScalarNode || value.Value == "" || !lookupName.MatchString(key.Value) || key.Value == "row" {
			return f.wrong(key.Line, fmt.Sprintf("lookup %s: write it as \"name: topic\", the name as a program would have it and not row", key.Value))
		}
		f.lookups = append(f.lookups, &Lookup{Name: key.Value, Topic: value.Value, line: key.Line})
	}
	return nil
}

// lookupPrefix begins the names that the values of lookups have as CEL types.
const lookupPrefix = "lookup:"

func (l *Lookup) typeName() string { return lookupPrefix + l.Name }

// fieldType tells CEL a field of a lookup's values, which is null where there is no value.
func (l *Lookup) fieldType(p *provider, field string) (*types.FieldType, bool) {
	i := l.Shape.Index(field)
	if i < 0 {
		return nil, false
	}
	t := l.Shape.Fields[i].Type
	if _, nullable := t.Nullable(); !nullable {
		t = &rowshape.Type{Kind: rowshape.Union, Branches: []*rowshape.Type{{Kind: rowshape.Null}, t}}
	}
	get := func(target any) any {
		row, ok := target.(*found)
		if !ok {
			return nil
		}
		v := row.fields[field]
		row.s.missed = row.s.missed || v == nil && !row.asked
		return v
	}
	return &types.FieldType{
		Type:    celType(t),
		IsSet:   func(target any) bool { return get(target) != nil },
		GetFrom: func(target any) (any, error) { return p.NativeToValue(get(target)), nil },
	}, true
}

// found is a value of a lookup as CEL sees it.
type found struct {
	fields map[string]any
	kind   *cel.Type
	asked  bool
	s      *scratch
}

// ConvertToNative implements ref.Val.
func (f *found) ConvertToNative(reflect.Type) (any, error) { return f.fields, nil }

// ConvertToType implements ref.Val.
func (f *found) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("no conversion from a looked-up value to %s", t.TypeName())
}

// Equal implements ref.Val.
func (f *found) Equal(other ref.Val) ref.Val {
	o, ok := other.(*found)
	return types.Bool(ok && reflect.DeepEqual(f.fields, o.fields))
}

// Type implements ref.Val.
func (f *found) Type() ref.Type { return f.kind }

// Value implements ref.Val.
func (f *found) Value() any { return f }

// shelf is a lookup as CEL sees it: a map of which only single keys can be asked.
type shelf struct {
	traits.Mapper // of an empty map
	lookup        *Lookup
	asked         bool // whether a key is there is tested
	s             *scratch
}

// Find gives the value of a key, null for one that is not there.
func (m shelf) Find(key ref.Val) (ref.Val, bool) {
	if text, ok := key.(types.String); ok {
		if fields := m.lookup.Find(string(text)); fields != nil {
			return &found{fields, cel.ObjectType(m.lookup.typeName()), m.asked, m.s}, true
		}
	}
	m.s.missed = m.s.missed || !m.asked
	return types.NullValue, true
}

// Get is Find.
func (m shelf) Get(key ref.Val) ref.Val {
	v, _ := m.Find(key)
	return v
}

// Value keeps CEL from looking into the empty map.
func (m shelf) Value() any { return m }

var emptyMap = types.NewStringStringMap(types.DefaultTypeAdapter, nil)
