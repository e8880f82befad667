package rowplan

import (
	"fmt"
	"strings"

	"github.com/twmb/avro"
)

// kind is what a value is on the wire together with what it means: a logical type that fits its type is a kind of its own.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindString
	kindBytes
	kindEnum
	kindFixed
	kindArray
	kindMap
	kindRecord
	kindUnion
	kindDate
	kindTimeMillis
	kindTimeMicros
	kindTimestamp
	kindLocalTimestamp
	kindDecimalBytes
	kindDecimalFixed
	kindUUIDString
	kindUUIDFixed
	kindDuration
)

// node is one type of a schema, shared by plans and walkers and never changed once built.
type node struct {
	kind      kind
	label     string   // the type for people, as in "long (timestamp-millis)"
	name      string   // full name of a record, enum or fixed
	fields    []field  // record
	item      *node    // array items, map values
	branches  []*node  // union, in schema order
	nullAt    int      // union: index of null, -1 without
	only      int      // union of null and one other type: the other's index, else -1
	trial     []int    // union: indexes of the branches that are not null in the order of trial: text last
	symbols   []string // enum
	size      int      // fixed, bytes
	precision int      // decimal, digits
	scale     int      // decimal, digits after the point
	perSecond int64    // timestamps: units per second, 1e3, 1e6 or 1e9
}

// field is one field of a record.
type field struct {
	name     string
	aliases  []string
	node     *node
	fallback []byte // the default as Avro binary; nil without a default, never nil with one
}

// builder turns parsed schemas into nodes; names holds the named types seen so far.
type builder struct {
	names map[string]*node
}

// parseTree parses schemaText, with the named types that references define, into its tree of nodes.
func parseTree(schemaText string, references []string) (*node, error) {
	cache := &avro.SchemaCache{}
	for i, text := range references {
		if _, err := cache.Parse(text); err != nil {
			return nil, fmt.Errorf("parse schema reference %d: %w", i+1, err)
		}
	}
	parsed, err := cache.Parse(schemaText)
	if err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	whole, err := parsed.Root().Schema() // one text that needs no cache: what references define is written where it is first used
	if err != nil {
		return nil, fmt.Errorf("join schema with its references: %w", err)
	}
	b := builder{names: map[string]*node{}}
	return b.build(whole.Root(), "")
}

// build makes the node of s, which stands inside namespace space.
func (b *builder) build(s *avro.SchemaNode, space string) (*node, error) {
	switch s.Type {
	case "union":
		return b.union(s, space)
	case "record", "error":
		return b.record(s)
	case "array":
		return b.container(kindArray, s.Items, space)
	case "map":
		return b.container(kindMap, s.Values, space)
	case "enum":
		n := &node{kind: kindEnum, name: fullName(s), symbols: s.Symbols}
		n.label = "enum " + n.name + " (" + list(s.Symbols) + ")"
		b.names[n.name] = n
		return n, nil
	case "fixed":
		n := fixedNode(s)
		b.names[n.name] = n
		return n, nil
	}
	if n := primitiveNode(s); n != nil {
		return n, nil
	}
	for _, name := range []string{s.Type, space + "." + s.Type} {
		if n, ok := b.names[name]; ok {
			return n, nil
		}
	}
	return nil, fmt.Errorf("build plan: schema names type %q, which it does not define", s.Type)
}

func (b *builder) record(s *avro.SchemaNode) (*node, error) {
	n := &node{kind: kindRecord, name: fullName(s)}
	n.label = "record " + n.name
	b.names[n.name] = n // before its fields: a record may hold itself
	n.fields = make([]field, len(s.Fields))
	for i := range s.Fields {
		f := &s.Fields[i]
		typ, err := b.build(&f.Type, s.Namespace)
		if err != nil {
			return nil, err
		}
		n.fields[i] = field{name: f.Name, aliases: f.Aliases, node: typ}
	}
	for i := range s.Fields {
		if err := n.setDefault(i, &s.Fields[i]); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *node) setDefault(i int, f *avro.SchemaField) error {
	if !f.HasDefault {
		return nil
	}
	out, err := appendNative([]byte{}, n.fields[i].node, f.Default)
	if err != nil {
		return fmt.Errorf("read default of field %s.%s: %w", n.name, f.Name, err)
	}
	n.fields[i].fallback = out
	return nil
}

func (b *builder) container(k kind, of *avro.SchemaNode, space string) (*node, error) {
	item, err := b.build(of, space)
	if err != nil {
		return nil, err
	}
	n := &node{kind: k, item: item, label: "array of " + item.label}
	if k == kindMap {
		n.label = "map of " + item.label
	}
	return n, nil
}

func (b *builder) union(s *avro.SchemaNode, space string) (*node, error) {
	n := &node{kind: kindUnion, nullAt: -1, only: -1}
	var labels []string
	var text []int
	for i := range s.Branches {
		branch, err := b.build(&s.Branches[i], space)
		if err != nil {
			return nil, err
		}
		n.branches = append(n.branches, branch)
		labels = append(labels, branch.label)
		switch branch.kind {
		case kindNull:
			n.nullAt = i
		case kindString, kindBytes:
			text = append(text, i)
		default:
			n.trial = append(n.trial, i)
		}
	}
	n.trial = append(n.trial, text...)
	if len(n.trial) == 1 {
		n.only = n.trial[0]
	}
	n.label = strings.Join(labels, " or ")
	return n, nil
}

func fullName(s *avro.SchemaNode) string {
	if s.Namespace == "" || strings.Contains(s.Name, ".") {
		return s.Name
	}
	return s.Namespace + "." + s.Name
}

// list joins at most 12 names, for messages.
func list(names []string) string {
	if len(names) > 12 {
		return strings.Join(names[:12], ", ") + fmt.Sprintf(" and %d more", len(names)-12)
	}
	return strings.Join(names, ", ")
}
