package avrotext

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrSchema says that JSON is not an Avro schema; its text names the place.
var ErrSchema = errors.New("not an Avro schema")

// ErrUnknownType says that a schema uses a type which neither it nor what it references defines.
var ErrUnknownType = errors.New("unknown type")

// Limits bound what a schema may ask of us. A zero limit stands for its default.
type Limits struct {
	Depth int // levels of JSON nesting, 500
	Names int // named types in one text, 4096
}

func (l Limits) orDefault() Limits {
	if l.Depth == 0 {
		l.Depth = 500
	}
	if l.Names == 0 {
		l.Names = 4096
	}
	return l
}

// Parse reads a schema whose undefined names are looked for in outer. It returns an error wrapping [ErrSchema] or
// [ErrDepth], or the JSON error.
func Parse(text string, outer Names, limits Limits) (*Document, error) {
	p, err := read(text, outer, limits)
	if err != nil {
		return nil, err
	}
	if unknown := p.resolve(); len(unknown) > 0 {
		return nil, fmt.Errorf("%w: %w %q", ErrSchema, ErrUnknownType, unknown[0])
	}
	return p.doc, nil
}

// Undefined gives the root of a schema and the full names of the types that the text uses and does not define, each once, in the order of their uses.
// It fails as [Parse] does, but for those names. What uses such a type has no Target.
func Undefined(text string, limits Limits) (*Schema, []string, error) {
	p, err := read(text, nil, limits)
	if err != nil {
		return nil, nil, err
	}
	return p.doc.Root, p.resolve(), nil
}

func read(text string, outer Names, limits Limits) (*parser, error) {
	limits = limits.orDefault()
	v, err := ParseValue(text, limits.Depth)
	if err != nil {
		return nil, err
	}
	p := &parser{doc: &Document{Own: Names{}, Outer: outer}, limits: limits}
	p.doc.Root, err = p.schema(v, "")
	return p, err
}

type parser struct {
	doc    *Document
	uses   []*Schema
	limits Limits
}

func (p *parser) schema(v Value, space string) (*Schema, error) {
	switch v.Kind {
	case String:
		return p.named(v.Text, space), nil
	case Array:
		return p.union(v, space)
	case Object:
		return p.object(v, space)
	}
	return nil, fmt.Errorf("%w: %s stands where a type is expected", ErrSchema, appendValue(nil, v))
}

// named is a primitive or the use of a name, resolved when the whole text has been read: a use may precede its definition.
func (p *parser) named(name, space string) *Schema {
	if primitives[name] {
		return &Schema{Type: name}
	}
	s := &Schema{Name: newName(name, space)}
	p.uses = append(p.uses, s)
	return s
}

func (p *parser) union(v Value, space string) (*Schema, error) {
	s := &Schema{Type: "union"}
	for _, item := range v.Items {
		branch, err := p.schema(item, space)
		if err != nil {
			return nil, err
		}
		s.Branches = append(s.Branches, branch)
	}
	return s, nil
}

func (p *parser) object(v Value, space string) (*Schema, error) {
	kind, ok := v.text("type")
	if !ok {
		return nil, fmt.Errorf("%w: no type in %s", ErrSchema, clip(v))
	}
	switch kind {
	case "record", "error", "enum", "fixed":
		return p.definition(v, kind, space)
	case "array", "map":
		return p.container(v, kind, space)
	}
	s := p.named(kind, space)
	if s.Type != "" {
		s.Props = props(v, schemaReserved)
	}
	return s, nil
}

func (p *parser) container(v Value, kind, space string) (*Schema, error) {
	member := map[string]string{"array": "items", "map": "values"}[kind]
	inner, ok := v.Get(member)
	if !ok {
		return nil, fmt.Errorf("%w: %s without %s", ErrSchema, kind, member)
	}
	items, err := p.schema(inner, space)
	if err != nil {
		return nil, err
	}
	return &Schema{Type: kind, Items: items, Props: props(v, schemaReserved)}, nil
}

func (p *parser) definition(v Value, kind, space string) (*Schema, error) {
	name, ok := v.text("name")
	if !ok {
		return nil, fmt.Errorf("%w: no name in %s", ErrSchema, clip(v))
	}
	if given, ok := v.text("namespace"); ok {
		space = given
	}
	s := &Schema{Type: kind, Name: newName(name, space), Props: props(v, schemaReserved)}
	if doc, ok := v.text("doc"); ok {
		s.Doc = &doc
	}
	if err := p.define(s); err != nil {
		return nil, err
	}
	if err := s.readAliases(v); err != nil {
		return nil, err
	}
	return s, p.body(s, v)
}

func (p *parser) body(s *Schema, v Value) error {
	switch s.Type {
	case "enum":
		return s.readEnum(v)
	case "fixed":
		size, ok := v.Get("size")
		if !ok || size.Kind != Number || strings.ContainsAny(size.Text, ".eE") {
			return fmt.Errorf("%w: fixed %s needs a whole size", ErrSchema, s.Name.Full())
		}
		s.Size = size.Text
		return nil
	}
	return p.fields(s, v)
}

func (p *parser) define(s *Schema) error {
	full := s.Name.Full()
	if p.doc.Own[full] != nil || p.doc.Outer[full] != nil {
		return fmt.Errorf("%w: %s is defined twice", ErrSchema, full)
	}
	if len(p.doc.Own) >= p.limits.Names {
		return fmt.Errorf("%w: more than %d named types", ErrSchema, p.limits.Names)
	}
	p.doc.Own[full] = s
	return nil
}

func (s *Schema) readAliases(v Value) error {
	list, err := stringList(v, "aliases")
	for _, alias := range list {
		if n := newName(alias, s.Name.Space); !slices.Contains(s.Aliases, n) {
			s.Aliases = append(s.Aliases, n)
		}
	}
	return err
}

func (s *Schema) readEnum(v Value) error {
	if _, ok := v.Get("symbols"); !ok {
		return fmt.Errorf("%w: enum %s without symbols", ErrSchema, s.Name.Full())
	}
	if def, ok := v.text("default"); ok {
		s.Default = &def
	}
	s.Props = slices.DeleteFunc(s.Props, func(m Member) bool { return m.Key == "default" })
	var err error
	s.Symbols, err = stringList(v, "symbols")
	return err
}

// resolve binds every use of a name: in its own namespace first, then without one. It gives the names that nothing defines, each once.
func (p *parser) resolve() (unknown []string) {
	seen := map[string]bool{}
	for _, use := range p.uses {
		full := use.Name.Full()
		for _, name := range []Name{use.Name, {Simple: use.Name.Simple}} {
			if use.Target == nil {
				use.Target, use.Name = p.find(name), name
			}
		}
		if use.Target == nil && !seen[full] {
			seen[full], unknown = true, append(unknown, full)
		}
	}
	return unknown
}

func (p *parser) find(n Name) *Schema {
	if s := p.doc.Own[n.Full()]; s != nil {
		return s
	}
	return p.doc.Outer[n.Full()]
}
