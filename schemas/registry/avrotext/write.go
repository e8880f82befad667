package avrotext

// writer writes a graph of schemas so that each named type is defined at its first use and named after that.
type writer struct {
	written map[string]bool
	form    form
}

type form byte

const (
	formText form = iota
	formPlain
)

// Text is what Avro Java's Schema.toString gives. Types of referenced texts are named, not written out.
func (d *Document) Text() string {
	w := writer{written: map[string]bool{}}
	for name := range d.Outer {
		w.written[name] = true
	}
	return string(w.schema(nil, d.Root, ""))
}

// Resolved is Text with the types of referenced texts written out at their first use: it stands alone.
func (d *Document) Resolved() string {
	w := writer{written: map[string]bool{}}
	return string(w.schema(nil, d.Root, ""))
}

// Plain is Resolved without properties, hence without logical types: what decides whether data can be read.
func (d *Document) Plain() string {
	w := writer{written: map[string]bool{}, form: formPlain}
	return string(w.schema(nil, d.Root, ""))
}

func (w *writer) schema(b []byte, s *Schema, space string) []byte {
	name := s.Name
	if s.Type == "" {
		s = s.Target
	}
	switch s.Type {
	case "union":
		b = append(b, '[')
		for i, branch := range s.Branches {
			b = w.schema(comma(b, i), branch, space)
		}
		return append(b, ']')
	case "array":
		return w.container(b, s, space)
	case "map":
		return w.container(b, s, space)
	case "record", "error", "enum", "fixed":
		if w.written[s.Name.Full()] {
			return appendString(b, name.qualified(space))
		}
		w.written[s.Name.Full()] = true
		return w.definition(b, s, space)
	}
	return w.primitive(b, s)
}

func (w *writer) primitive(b []byte, s *Schema) []byte {
	if len(s.Props) == 0 || w.form == formPlain {
		return appendString(b, s.Type)
	}
	b = appendString(append(b, `{"type":`...), s.Type)
	return append(w.props(b, s.Props), '}')
}

func (w *writer) container(b []byte, s *Schema, space string) []byte {
	if s.Type == "array" {
		b = append(b, `{"type":"array","items":`...)
	} else {
		b = append(b, `{"type":"map","values":`...)
	}
	b = w.schema(b, s.Items, space)
	return append(w.props(b, s.Props), '}')
}

func (w *writer) definition(b []byte, s *Schema, space string) []byte {
	b = appendString(append(b, `{"type":`...), s.Type)
	b = appendString(append(b, `,"name":`...), s.Name.Simple)
	if s.Name.Space != space {
		b = appendString(append(b, `,"namespace":`...), s.Name.Space)
	}
	b = w.doc(b, s.Doc)
	switch s.Type {
	case "enum":
		b = appendStrings(append(b, `,"symbols":`...), s.Symbols)
		if s.Default != nil {
			b = appendString(append(b, `,"default":`...), *s.Default)
		}
	case "fixed":
		b = append(append(b, `,"size":`...), s.Size...)
	default:
		b = append(b, `,"fields":[`...)
		for i, f := range s.Fields {
			b = w.field(comma(b, i), f, s.Name.Space)
		}
		b = append(b, ']')
	}
	b = w.props(b, s.Props)
	if len(s.Aliases) > 0 {
		b = appendStrings(append(b, `,"aliases":`...), qualifiedNames(s.Aliases, s.Name.Space))
	}
	return append(b, '}')
}

func (w *writer) field(b []byte, f Field, space string) []byte {
	b = appendString(append(b, `{"name":`...), f.Name)
	b = w.schema(append(b, `,"type":`...), f.Type, space)
	b = w.doc(b, f.Doc)
	if f.Default != nil {
		b = appendValue(append(b, `,"default":`...), *f.Default)
	}
	if f.Order != "" {
		b = appendString(append(b, `,"order":`...), f.Order)
	}
	if len(f.Aliases) > 0 {
		b = appendStrings(append(b, `,"aliases":`...), f.Aliases)
	}
	return append(w.props(b, f.Props), '}')
}

func (w *writer) doc(b []byte, doc *string) []byte {
	if doc == nil || w.form == formPlain {
		return b
	}
	return appendString(append(b, `,"doc":`...), *doc)
}

func (w *writer) props(b []byte, props []Member) []byte {
	if w.form == formPlain {
		return b
	}
	for _, m := range props {
		b = append(appendString(append(b, ','), m.Key), ':')
		b = appendValue(b, m.Value)
	}
	return b
}

func qualifiedNames(names []Name, space string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n.qualified(space)
	}
	return out
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		b = appendString(comma(b, i), s)
	}
	return append(b, ']')
}
