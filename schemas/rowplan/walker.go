package rowplan

import (
	"fmt"
	"strings"
)

// Walker reads Avro binary of one schema. It is made by Walk, never changes and may be used by many goroutines.
type Walker struct {
	root    *node
	columns []walked
}

// walked is one column of the flat view: a field that is no record, or one that is reached through nested records.
type walked struct {
	name string // dotted
	node *node
}

// Walk makes the walker of schemaText; references are schema texts that define named types which it uses. Any schema will do: one that is no
// record has a single column, "value".
func Walk(schemaText string, references ...string) (*Walker, error) {
	root, err := parseTree(schemaText, references)
	if err != nil {
		return nil, err
	}
	w := &Walker{root: root}
	w.flatten(root, "", nil)
	return w, nil
}

// flatten lists the columns below n; open holds the records that it stands in, since a record may hold itself.
func (w *Walker) flatten(n *node, path string, open []*node) {
	record := recordIn(n)
	for _, outer := range open {
		if outer == record {
			record = nil
		}
	}
	if record == nil {
		if path == "" {
			path = "value."
		}
		w.columns = append(w.columns, walked{strings.TrimSuffix(path, "."), n})
		return
	}
	for i := range record.fields {
		w.flatten(record.fields[i].node, path+record.fields[i].name+".", append(open[:len(open):len(open)], record))
	}
}

// recordIn gives the record that n is, alone or in a union with null; nil when it is none.
func recordIn(n *node) *node {
	if n.kind == kindUnion && n.only >= 0 {
		n = n.branches[n.only]
	}
	if n.kind == kindRecord {
		return n
	}
	return nil
}

// Columns gives the dotted names of the flat view, in the order of the cells that Cells gives: nested records are taken apart, also those that may
// be null; arrays, maps and unions of several types are one column each. A record without fields has no column.
func (w *Walker) Columns() []string {
	names := make([]string, len(w.columns))
	for i, c := range w.columns {
		names[i] = c.name
	}
	return names
}

// Fields gives the names of the top-level fields, none for a schema that is no record.
func (w *Walker) Fields() []string {
	names := make([]string, len(w.root.fields))
	for i := range w.root.fields {
		names[i] = w.root.fields[i].name
	}
	return names
}

// Offsets appends to dst where each top-level field of value begins, and at last where the value ends: field i is value[dst[i]:dst[i+1]].
// It checks the whole value; bytes behind its end are an error.
func (w *Walker) Offsets(dst []int, value []byte) ([]int, error) {
	c := cursor{data: value}
	if w.root.kind != kindRecord {
		return dst, fmt.Errorf("%w: the schema is %s, which has no fields", ErrValue, w.root.label)
	}
	for i := range w.root.fields {
		dst = append(dst, c.at)
		c.skip(w.root.fields[i].node, 1)
	}
	return append(dst, c.at), c.end()
}

// AppendJSON writes value behind dst as one line of JSON without a line end. Unions are written as the bare value; bytes and fixed as Avro's JSON
// does, one code point for each byte; decimals as numbers with all their digits; dates, times, uuids and durations as the texts that a cell has;
// NaN and the infinities as strings.
func (w *Walker) AppendJSON(dst, value []byte) ([]byte, error) {
	c := cursor{data: value}
	out := c.appendJSON(dst, w.root, 0)
	if err := c.end(); err != nil {
		return dst, err
	}
	return out, nil
}

// end says what went wrong, or that bytes are left over.
func (c *cursor) end() error {
	if c.err == nil && c.at < len(c.data) {
		c.fail("bytes behind the value's end")
	}
	return c.err
}
