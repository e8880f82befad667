package client

import (
	"fmt"
	"slices"

	"stripeline/schemas/registry/avrotext"
)

// differ walks two schemas side by side.
type differ struct {
	changes []Change
	seen    map[[2]*avrotext.Schema]bool
}

func (d *differ) note(path, format string, args ...any) {
	d.changes = append(d.changes, Change{Path: path, What: fmt.Sprintf(format, args...)})
}

func (d *differ) warn(path, what, warning string) {
	d.changes = append(d.changes, Change{Path: path, What: what, Warning: warning})
}

func behind(s *avrotext.Schema) *avrotext.Schema {
	if s.Type == "" {
		return s.Target
	}
	return s
}

func (d *differ) compare(path string, before, after *avrotext.Schema) {
	before, after = behind(before), behind(after)
	pair := [2]*avrotext.Schema{before, after}
	if d.seen[pair] {
		return
	}
	d.seen[pair] = true
	if before.Type != after.Type {
		d.note(path, "%s became %s", label(before), label(after))
		return
	}
	if before.Name != after.Name {
		d.note(path, "%s %s is now called %s", before.Type, before.Name.Full(), after.Name.Full())
	}
	d.meaning(path, before, after)
	switch before.Type {
	case "record", "error":
		d.fields(path, before, after)
	case "enum":
		d.symbols(path, before, after)
	case "fixed":
		if before.Size != after.Size {
			d.note(path, "fixed %s has %s bytes instead of %s", after.Name.Full(), after.Size, before.Size)
		}
	case "array", "map":
		d.compare(path+"[]", before.Items, after.Items)
	case "union":
		d.branches(path, before, after)
	}
}

// meaning compares logical types: a change does not keep anybody from reading, but from reading right.
func (d *differ) meaning(path string, before, after *avrotext.Schema) {
	was, is := logical(before), logical(after)
	if was == is {
		return
	}
	what := fmt.Sprintf("%s became %s", was, is)
	if was == "plain "+before.Type {
		d.note(path, "%s", what)
		return
	}
	d.warn(path, what, "no compatibility level stops this, but values written as "+was+" will be read as "+is)
}

// logical names what a type means beyond its bytes.
func logical(s *avrotext.Schema) string {
	props := avrotext.Value{Kind: avrotext.Object, Members: s.Props}
	kind, ok := props.Get("logicalType")
	if !ok || kind.Kind != avrotext.String {
		return "plain " + s.Type
	}
	if kind.Text != "decimal" {
		return kind.Text
	}
	precision, _ := props.Get("precision")
	scale, ok := props.Get("scale")
	if !ok {
		scale = avrotext.Value{Kind: avrotext.Number, Text: "0"}
	}
	return fmt.Sprintf("decimal(%s,%s)", precision.JSON(), scale.JSON())
}

func label(s *avrotext.Schema) string {
	switch s.Type {
	case "record", "error", "enum", "fixed":
		return s.Type + " " + s.Name.Full()
	case "array", "map":
		return s.Type + " of " + label(behind(s.Items))
	}
	return s.Type
}

func (d *differ) fields(path string, before, after *avrotext.Schema) {
	for _, f := range after.Fields {
		old := match(before.Fields, f)
		at := join(path, f.Name)
		if old == nil {
			d.added(at, f)
			continue
		}
		if old.Name != f.Name {
			d.note(at, "field is called %s instead of %s, which stays its alias", f.Name, old.Name)
		}
		d.defaults(at, *old, f)
		d.compare(at, old.Type, f.Type)
	}
	for _, f := range before.Fields {
		if !slices.ContainsFunc(after.Fields, func(g avrotext.Field) bool { return g.Name == f.Name || slices.Contains(g.Aliases, f.Name) }) {
			d.note(join(path, f.Name), "field was removed")
		}
	}
}

func (d *differ) added(at string, f avrotext.Field) {
	if f.Default == nil {
		d.note(at, "field of type %s was added without a default", label(behind(f.Type)))
		return
	}
	d.note(at, "field of type %s was added with default %s", label(behind(f.Type)), f.Default.JSON())
}

func (d *differ) defaults(at string, before, after avrotext.Field) {
	switch {
	case before.Default == nil && after.Default != nil:
		d.note(at, "default %s was added", after.Default.JSON())
	case before.Default != nil && after.Default == nil:
		d.note(at, "default %s was removed", before.Default.JSON())
	case before.Default != nil && before.Default.JSON() != after.Default.JSON():
		d.note(at, "default %s became %s", before.Default.JSON(), after.Default.JSON())
	}
}

// match finds the old field that a new one continues, by its name first and its aliases after that.
func match(before []avrotext.Field, f avrotext.Field) *avrotext.Field {
	for _, name := range append([]string{f.Name}, f.Aliases...) {
		for i := range before {
			if before[i].Name == name {
				return &before[i]
			}
		}
	}
	return nil
}

func (d *differ) symbols(path string, before, after *avrotext.Schema) {
	for _, symbol := range after.Symbols {
		if !slices.Contains(before.Symbols, symbol) {
			d.note(path, "enum %s has a new symbol %s", after.Name.Full(), symbol)
		}
	}
	for _, symbol := range before.Symbols {
		if !slices.Contains(after.Symbols, symbol) {
			d.note(path, "enum %s has lost its symbol %s", after.Name.Full(), symbol)
		}
	}
}

func (d *differ) branches(path string, before, after *avrotext.Schema) {
	find := func(in *avrotext.Schema, branch *avrotext.Schema) *avrotext.Schema {
		for _, other := range in.Branches {
			if branchLabel(other) == branchLabel(branch) {
				return other
			}
		}
		return nil
	}
	for _, branch := range after.Branches {
		if old := find(before, branch); old != nil {
			d.compare(path, old, branch)
		} else {
			d.note(path, "union takes %s as well", label(behind(branch)))
		}
	}
	for _, branch := range before.Branches {
		if find(after, branch) == nil {
			d.note(path, "union takes %s no more", label(behind(branch)))
		}
	}
}

// branchLabel tells the branches of one union apart, as Avro does.
func branchLabel(s *avrotext.Schema) string {
	s = behind(s)
	if s.Name.Simple != "" {
		return s.Name.Full()
	}
	return s.Type
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
