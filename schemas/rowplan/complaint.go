package rowplan

import (
	"fmt"
	"strings"
)

// complaints gives everything that is wrong with the header as one error, nil when nothing is.
func (c *compiler) complaints() error {
	said := c.wrong
	if !c.opts.IgnoreExtra && c.only == nil {
		said = append(said, c.extras()...)
	}
	if len(c.missing) > 0 && c.only != nil {
		said = append(said, fmt.Sprintf("no column of the key for %s, and no default: make it a column of the key", quotedList(c.missing)))
	} else if len(c.missing) > 0 {
		said = append(said, fmt.Sprintf("no column for %s, and no default: add the column, or give the field a default in the schema", quotedList(c.missing)))
	}
	if len(said) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrHeader, strings.Join(said, "; "))
}

// extras complains of each column that feeds no field.
func (c *compiler) extras() []string {
	var said []string
	for i, name := range c.header {
		switch {
		case c.sources[i].field != "":
		case name == "":
			said = append(said, fmt.Sprintf("column %d has no name: name it, or ignore extra columns", i+1))
		case c.twice[name] && c.column[name] != i:
			if c.sources[c.column[name]].field == "" {
				said = append(said, fmt.Sprintf("column %q is there twice: remove or rename one", name))
			}
		default:
			said = append(said, fmt.Sprintf("column %q is no field of the schema%s: rename or remove it, or ignore extra columns", name, c.hint(name)))
		}
	}
	return said
}

// hint names a missing field that name may have meant.
func (c *compiler) hint(name string) string {
	for _, field := range c.missing {
		if fold(field) == fold(name) {
			return fmt.Sprintf(" (did you mean %q?)", field)
		}
	}
	return ""
}

// fold takes out of a name what people write differently: case, spaces, dashes, underscores.
func fold(name string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(name))
}

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return list(quoted)
}
