// Package rowshape is in the schemas room: the shape of an Avro record for those who may not import the Avro library, and what can be done
// with the bytes of a record without decoding it whole.
//
// A Shape is parsed once from schema text (twmb/avro judges the text). Then Offsets finds where each field lies, Value decodes one field,
// Append encodes one, and AppendJSON and AppendText write one for people. None of them needs the others' intermediate form.
package rowshape

import (
	"fmt"
	"strings"
)

// Kind is the Avro type of a field.
type Kind uint8

// The kinds, in the order of the Avro specification.
const (
	Null Kind = iota
	Boolean
	Int
	Long
	Float
	Double
	Bytes
	String
	Record
	Enum
	Array
	Map
	Fixed
	Union
)

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "fixed", "union"}

// String is the name that the Avro specification gives the kind.
func (k Kind) String() string { return kindNames[k] }

// Logical types that change how a value is read. A logical type that does not fit its kind is ignored, as the specification asks.
const (
	Decimal              = "decimal"
	UUID                 = "uuid"
	Date                 = "date"
	TimeMillis           = "time-millis"
	TimeMicros           = "time-micros"
	TimestampMillis      = "timestamp-millis"
	TimestampMicros      = "timestamp-micros"
	TimestampNanos       = "timestamp-nanos"
	LocalTimestampMillis = "local-timestamp-millis"
	LocalTimestampMicros = "local-timestamp-micros"
	LocalTimestampNanos  = "local-timestamp-nanos"
)

// Type is one node of a schema. Types may be recursive: a record may hold itself below a union, an array or a map.
type Type struct {
	Kind      Kind
	Logical   string   // one of the constants above, or ""
	Name      string   // full name of a record, enum or fixed
	Size      int      // bytes of a fixed
	Precision int      // of a decimal
	Scale     int      // of a decimal
	Symbols   []string // of an enum
	Fields    []Field  // of a record
	Items     *Type    // items of an array, values of a map
	Branches  []*Type  // of a union
}

// Field is one field of a record. Default is the field's default as JSON would give it (nil for null) when HasDefault is true.
type Field struct {
	Name       string
	Aliases    []string
	Type       *Type
	HasDefault bool
	Default    any
}

// Shape is a record type, ready to be used on bytes. It is safe for concurrent use.
type Shape struct {
	*Type
	byName map[string]int
}

// Index is the position of the field called name, or -1.
func (s *Shape) Index(name string) int {
	if i, ok := s.byName[name]; ok {
		return i
	}
	return -1
}

// Nullable says whether null is a value of the type, and gives the type without null: the type itself, the other branch of a union of two,
// or a union of the others.
func (t *Type) Nullable() (*Type, bool) {
	if t.Kind == Null {
		return t, true
	}
	if t.Kind != Union {
		return t, false
	}
	var others []*Type
	for _, b := range t.Branches {
		if b.Kind != Null {
			others = append(others, b)
		}
	}
	switch {
	case len(others) == len(t.Branches):
		return t, false
	case len(others) == 1:
		return others[0], true
	}
	return &Type{Kind: Union, Branches: others}, true
}

// String is the type in words, as error messages show it: "long (timestamp-millis)", "null or string", "decimal(9,2)".
func (t *Type) String() string {
	switch {
	case t.Kind == Union:
		words := make([]string, len(t.Branches))
		for i, b := range t.Branches {
			words[i] = b.String()
		}
		return strings.Join(words, " or ")
	case t.Logical == Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case t.Logical != "":
		return fmt.Sprintf("%s (%s)", t.Kind, t.Logical)
	case t.Kind == Enum || t.Kind == Record:
		return t.Kind.String() + " " + t.Name
	case t.Kind == Fixed:
		return fmt.Sprintf("fixed(%d)", t.Size)
	case t.Kind == Array:
		return "array of " + t.Items.String()
	case t.Kind == Map:
		return "map of " + t.Items.String()
	}
	return t.Kind.String()
}
