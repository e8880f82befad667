package rowplan

import (
	"fmt"
	"slices"
	"strings"
)

// Keying says which columns of a header a key is made of, by their names.
type Keying struct {
	Header  []string // of the rows
	Columns []string // each of them in Header
}

// CompileKey makes the plan that turns rows into keys of schemaText, reading the key's columns alone. The fields of a record take them by name or
// alias as in Compile, and each must feed a field; a schema of any other type takes the one column as Compile's fields take theirs, so that an empty
// cell is null only where the schema is a union with null. Errors are ErrHeader, as those of Compile.
func CompileKey(schemaText string, key Keying, opts Options) (*Plan, error) {
	root, err := parseTree(schemaText, opts.References)
	if err != nil {
		return nil, err
	}
	c := compiler{header: key.Header, opts: opts, sources: make([]source, len(key.Header))}
	if err := c.index(); err != nil {
		return nil, err
	}
	if err := c.restrict(key.Columns); err != nil {
		return nil, err
	}
	if c.base, err = opts.reading(); err != nil {
		return nil, err
	}
	steps, err := c.keySteps(root, key.Columns)
	if err != nil {
		return nil, err
	}
	if err := c.complaints(); err != nil {
		return nil, err
	}
	return &Plan{header: slices.Clone(key.Header), steps: steps, sources: c.sources}, nil
}

// restrict hides every column but those named.
func (c *compiler) restrict(columns []string) error {
	shown := map[string]int{}
	for _, name := range columns {
		i, ok := c.column[name]
		switch {
		case !ok:
			return fmt.Errorf("%w: key column %q is not in it (%s)", ErrHeader, name, list(c.header))
		case c.twice[name]:
			return fmt.Errorf("%w: key column %q is there twice: remove or rename one", ErrHeader, name)
		}
		if _, again := shown[name]; again {
			return fmt.Errorf("%w: key column %q is named twice", ErrHeader, name)
		}
		shown[name] = i
	}
	c.column, c.only = shown, columns
	return nil
}

func (c *compiler) keySteps(root *node, columns []string) ([]step, error) {
	if root.kind == kindRecord {
		steps, err := c.record(root, []string{""}, "")
		for _, name := range columns {
			if c.sources[c.column[name]].field == "" {
				c.wrong = append(c.wrong, fmt.Sprintf("column %q is no field of the key's schema, %s", name, root.label))
			}
		}
		return steps, err
	}
	if len(columns) != 1 {
		return nil, fmt.Errorf("%w: the key's schema is %s, which takes one column, not %d (%s): name one, or use the schema of a record",
			ErrHeader, root.label, len(columns), strings.Join(columns, ", "))
	}
	s, err := c.columnStep(&field{name: keyField, node: root}, c.column[columns[0]], "")
	return []step{s}, err
}

// keyField stands for the field name of a key that is no record.
const keyField = "key"
