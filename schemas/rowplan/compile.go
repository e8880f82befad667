package rowplan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrHeader is wrapped by what Compile says of a header, a column option or a schema that do not fit each other; the text names the columns.
var ErrHeader = errors.New("header does not fit the schema")

// Compile makes the plan that turns rows with the columns header into values of the record schemaText. Everything about a file that can be known
// before its first row is checked here: a column that matches no field, a field without column and default, a column that is there twice, a column
// option that names no column, a time format that cannot be read. The error is one line that names the columns and says what to do.
func Compile(schemaText string, header []string, opts Options) (*Plan, error) {
	root, err := parseTree(schemaText, opts.References)
	if err != nil {
		return nil, err
	}
	if root.kind != kindRecord {
		return nil, fmt.Errorf("%w: the schema is %s, but rows need a record", ErrHeader, root.label)
	}
	c := compiler{header: header, opts: opts, sources: make([]source, len(header))}
	if err := c.index(); err != nil {
		return nil, err
	}
	if c.base, err = opts.reading(); err != nil {
		return nil, err
	}
	steps, err := c.record(root, []string{""}, "")
	if err != nil {
		return nil, err
	}
	if err := c.complaints(); err != nil {
		return nil, err
	}
	return &Plan{header: slices.Clone(header), steps: steps, sources: c.sources}, nil
}

// compiler gathers what is wrong, so that a person hears of everything at once.
type compiler struct {
	header  []string
	opts    Options
	base    *reading
	column  map[string]int // first column of each name
	twice   map[string]bool
	only    []string // the columns of a key; nil: every column
	sources []source
	missing []string // dotted names of fields without column and default
	wrong   []string // sentences
}

func (c *compiler) index() error {
	c.column, c.twice = map[string]int{}, map[string]bool{}
	for i, name := range c.header {
		if _, ok := c.column[name]; ok {
			c.twice[name] = true
			continue
		}
		c.column[name] = i
	}
	for name := range c.opts.Columns {
		if _, ok := c.column[name]; !ok {
			return fmt.Errorf("%w: options are given for column %q, which the header lacks (%s)", ErrHeader, name, list(c.header))
		}
	}
	return nil
}

// record makes the steps of n's fields, whose columns begin with one of prefixes; path is the dotted name so far, for messages.
func (c *compiler) record(n *node, prefixes []string, path string) ([]step, error) {
	if strings.Count(path, ".") > maxDepth {
		return nil, fmt.Errorf("%w: record %s holds itself without end", ErrHeader, n.name)
	}
	steps := make([]step, 0, len(n.fields))
	for i := range n.fields {
		s, err := c.field(&n.fields[i], prefixes, path)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func (c *compiler) field(f *field, prefixes []string, path string) (step, error) {
	names := spellings(f, prefixes)
	column := c.find(names, path+f.name)
	if column >= 0 {
		return c.columnStep(f, column, path)
	}
	s := newStep(f.node)
	record := s.node.kind == kindRecord
	if record && (c.anyBelow(names) || s.null == nil && f.fallback == nil) {
		for i := range names {
			names[i] += "."
		}
		var err error
		s.group, err = c.record(s.node, names, path+f.name+".")
		return s, err
	}
	if f.fallback == nil {
		c.missing = append(c.missing, path+f.name)
	}
	return step{column: -1, constant: f.fallback}, nil
}

func (c *compiler) columnStep(f *field, column int, path string) (step, error) {
	s := newStep(f.node)
	s.column = column
	c.sources[column] = source{field: path + f.name, expected: f.node.label}
	name := c.header[column]
	own := c.opts.Columns[name]
	s.read = c.base
	if own.Format != "" {
		l, err := parseLayout(own.Format)
		if err != nil {
			return s, fmt.Errorf("%w: column %q: %w", ErrHeader, name, err)
		}
		s.read = &reading{timestamp: l, date: l, clock: l, trim: c.base.trim, ignoreExtra: c.base.ignoreExtra}
	}
	for _, token := range slices.Concat(c.opts.Nulls, own.Nulls) {
		s.nulls = append(s.nulls, []byte(token))
		s.nullSizes |= 1 << (len(token) & 63)
		if token != "" {
			s.nullFirsts |= 1 << (token[0] & 63)
		}
	}
	s.hasten()
	c.sources[column].step = s
	return s, nil
}

// find gives the column with one of names, -1 without, and complains of a second one.
func (c *compiler) find(names []string, fieldName string) int {
	found := -1
	for _, name := range names {
		i, ok := c.column[name]
		if !ok || i == found {
			continue
		}
		if found >= 0 {
			c.wrong = append(c.wrong, fmt.Sprintf("columns %q and %q are both field %q: remove one", c.header[found], name, fieldName))
			c.sources[i].field = fieldName
			continue
		}
		if c.twice[name] {
			c.wrong = append(c.wrong, fmt.Sprintf("column %q is there twice: remove or rename one", name))
		}
		found = i
	}
	return found
}

// anyBelow says whether some column is a field of the record that has one of names.
func (c *compiler) anyBelow(names []string) bool {
	columns := c.header
	if c.only != nil {
		columns = c.only
	}
	return slices.ContainsFunc(columns, func(column string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(column, name+".") })
	})
}

// spellings gives every column name that f may have: its name first, then its aliases, behind each prefix.
func spellings(f *field, prefixes []string) []string {
	var names []string
	for _, name := range append([]string{f.name}, f.aliases...) {
		for _, prefix := range prefixes {
			names = append(names, prefix+name)
		}
	}
	return names
}

// newStep makes a step of type n without a column, opening a union of null and one other type.
func newStep(n *node) step {
	s := step{column: -1, node: n}
	switch {
	case n.kind == kindNull:
		s.null = []byte{}
	case n.kind == kindUnion && n.nullAt >= 0:
		s.null = binary.AppendVarint([]byte{}, int64(n.nullAt))
	}
	if n.kind == kindUnion && n.only >= 0 {
		s.node = n.branches[n.only]
		s.prefix = binary.AppendVarint(nil, int64(n.only))
	}
	s.text = isText(s.node) || s.node.kind == kindUnion && slices.ContainsFunc(s.node.branches, isText)
	return s
}

func isText(n *node) bool { return n.kind == kindString || n.kind == kindBytes }
