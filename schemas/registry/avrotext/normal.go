package avrotext

import (
	"slices"
	"strings"
)

// Normal is the text under normalize=true: like Avro's parsing canonical form (full names, the name before the type, each
// named type once), with doc, logical types and other properties (by key), defaults, order and aliases (sorted) kept.
func (d *Document) Normal() string {
	n := normalizer{written: map[string]bool{}}
	for name := range d.Outer {
		n.written[name] = true
	}
	return string(n.schema(nil, d.Root))
}

type normalizer struct{ written map[string]bool }

func (n *normalizer) schema(b []byte, s *Schema) []byte {
	if s.Type == "" {
		s = s.Target
	}
	switch s.Type {
	case "union":
		b = append(b, '[')
		for i, branch := range s.Branches {
			b = n.schema(comma(b, i), branch)
		}
		return append(b, ']')
	case "array":
		b = n.schema(append(b, `{"type":"array","items":`...), s.Items)
		return append(appendSorted(b, s.Props), '}')
	case "map":
		b = n.schema(append(b, `{"type":"map","values":`...), s.Items)
		return append(appendSorted(b, s.Props), '}')
	case "record", "error", "enum", "fixed":
		return n.definition(b, s)
	}
	if len(s.Props) == 0 {
		return appendString(b, s.Type)
	}
	b = appendString(append(b, `{"type":`...), s.Type)
	return append(appendSorted(b, s.Props), '}')
}

func (n *normalizer) definition(b []byte, s *Schema) []byte {
	if n.written[s.Name.Full()] {
		return appendString(b, s.Name.Full())
	}
	n.written[s.Name.Full()] = true
	b = appendString(append(b, `{"name":`...), s.Name.Full())
	b = appendString(append(b, `,"type":`...), s.Type)
	switch s.Type {
	case "enum":
		b = appendStrings(append(b, `,"symbols":`...), s.Symbols)
	case "fixed":
		b = append(append(b, `,"size":`...), s.Size...)
	default:
		b = append(b, `,"fields":[`...)
		for i, f := range s.Fields {
			b = n.field(comma(b, i), f)
		}
		b = append(b, ']')
	}
	b = appendDoc(b, s.Doc)
	if s.Default != nil {
		b = appendString(append(b, `,"default":`...), *s.Default)
	}
	aliases := make([]string, len(s.Aliases))
	for i, a := range s.Aliases {
		aliases[i] = a.Full()
	}
	return append(appendSorted(appendAliases(b, aliases), s.Props), '}')
}

func (n *normalizer) field(b []byte, f Field) []byte {
	b = appendString(append(b, `{"name":`...), f.Name)
	b = n.schema(append(b, `,"type":`...), f.Type)
	if f.Default != nil {
		b = appendValue(append(b, `,"default":`...), *f.Default)
	}
	if f.Order != "" {
		b = appendString(append(b, `,"order":`...), f.Order)
	}
	b = appendDoc(b, f.Doc)
	return append(appendSorted(appendAliases(b, f.Aliases), f.Props), '}')
}

func appendDoc(b []byte, doc *string) []byte {
	if doc == nil {
		return b
	}
	return appendString(append(b, `,"doc":`...), *doc)
}

func appendAliases(b []byte, aliases []string) []byte {
	if len(aliases) == 0 {
		return b
	}
	return appendStrings(append(b, `,"aliases":`...), slices.Sorted(slices.Values(aliases)))
}

func appendSorted(b []byte, props []Member) []byte {
	for _, m := range sortedMembers(props) {
		b = append(appendString(append(b, ','), m.Key), ':')
		b = appendValue(b, sortValue(m.Value))
	}
	return b
}

func sortedMembers(list []Member) []Member {
	return slices.SortedFunc(slices.Values(list), func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
}

// sortValue orders the members of every object within v.
func sortValue(v Value) Value {
	out := Value{Kind: v.Kind, Text: v.Text}
	for _, item := range v.Items {
		out.Items = append(out.Items, sortValue(item))
	}
	for _, m := range sortedMembers(v.Members) {
		out.Members = append(out.Members, Member{Key: m.Key, Value: sortValue(m.Value)})
	}
	return out
}
