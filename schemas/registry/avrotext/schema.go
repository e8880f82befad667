package avrotext

import "strings"

// Schema is one node of a parsed schema. Which members count depends on Type.
type Schema struct {
	Type     string // a primitive, "record", "error", "enum", "fixed", "array", "map", "union", or "" for a use of a name
	Target   *Schema
	Name     Name    // record, error, enum, fixed; of a use: the name as it was resolved
	Doc      *string // named types
	Aliases  []Name
	Fields   []Field   // record, error
	Symbols  []string  // enum
	Default  *string   // enum
	Size     string    // fixed: the literal
	Items    *Schema   // array, map
	Branches []*Schema // union
	Props    []Member  // everything that Avro does not reserve, in the order of the text
}

// Field is one field of a record.
type Field struct {
	Name    string
	Type    *Schema
	Doc     *string
	Default *Value
	Order   string // "" for ascending
	Aliases []string
	Props   []Member
}

// Name is a simple name and its namespace, "" for none.
type Name struct{ Simple, Space string }

// Full is the name with its namespace before it.
func (n Name) Full() string {
	if n.Space == "" {
		return n.Simple
	}
	return n.Space + "." + n.Simple
}

// qualified is the shortest spelling that still means n within a namespace.
func (n Name) qualified(space string) string {
	if n.Space == space && !typeNames[n.Simple] {
		return n.Simple
	}
	return n.Full()
}

// newName splits a dotted name; a plain one takes the namespace given.
func newName(name, space string) Name {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return Name{Simple: name[dot+1:], Space: name[:dot]}
	}
	return Name{Simple: name, Space: space}
}

var primitives = map[string]bool{
	"null": true, "boolean": true, "int": true, "long": true, "float": true, "double": true, "bytes": true, "string": true,
}

// typeNames are the names that Avro Java never shortens, because alone they would read as types.
var typeNames = map[string]bool{
	"null": true, "boolean": true, "int": true, "long": true, "float": true, "double": true, "bytes": true, "string": true,
	"record": true, "enum": true, "array": true, "map": true, "union": true, "fixed": true,
}

// Names are the named types that a schema may use without defining them, by full name.
type Names map[string]*Schema

// Document is one parsed schema.
type Document struct {
	Root  *Schema
	Own   Names // defined in this text
	Outer Names // defined in the texts it references
}

// Visible returns every name that a schema referencing this one may use.
func (d *Document) Visible() Names {
	all := make(Names, len(d.Own)+len(d.Outer))
	for name, s := range d.Outer {
		all[name] = s
	}
	for name, s := range d.Own {
		all[name] = s
	}
	return all
}
