package mapping

import (
	"bytes"

	"cel.dev/cel-go/common/ast"
)

// cut is a text that was split at a separator which is not empty.
type cut struct {
	text, separator eval[[]byte]
}

func cutting(args []*direct) *direct {
	if len(args) != 2 || args[0].text == nil || args[1].text == nil {
		return nil
	}
	return &direct{cut: &cut{args[0].text, args[1].text}}
}

func (c *cut) both(s *scratch) (text, separator []byte, ok bool) {
	if text, ok = c.text(s); !ok {
		return nil, nil, false
	}
	separator, ok = c.separator(s)
	return text, separator, ok && len(separator) > 0
}

// pieces is size(text.split(separator)).
func pieces(args []*direct) *direct {
	if len(args) != 1 || args[0].cut == nil {
		return nil
	}
	c := args[0].cut
	return made(func(s *scratch) (int64, bool) {
		text, separator, ok := c.both(s)
		return int64(bytes.Count(text, separator)) + 1, ok
	})
}

// piece is text.split(separator)[n].
func piece(args []*direct) *direct {
	if len(args) != 2 || args[0].cut == nil || args[1].whole == nil {
		return nil
	}
	c, index := args[0].cut, args[1].whole
	return made(func(s *scratch) ([]byte, bool) {
		text, separator, ok := c.both(s)
		n, given := index(s)
		if !ok || !given || n < 0 {
			return nil, false
		}
		for ; n > 0; n-- {
			var more bool
			if _, text, more = bytes.Cut(text, separator); !more {
				return nil, false
			}
		}
		text, _, _ = bytes.Cut(text, separator)
		return text, true
	})
}

// list translates [a, b]; an empty one is CEL's.
func (t *translator) list(e ast.ListExpr) *direct {
	if len(e.OptionalIndices()) > 0 {
		return nil
	}
	d := &direct{constant: true}
	for _, element := range e.Elements() {
		item := t.operand(element)
		if item == nil || item.value() == nil {
			return nil
		}
		d.list = append(d.list, item)
		d.constant = d.constant && item.constant
	}
	return d
}

// table translates {'a': 1, 'b': 2} of constants; one with a key that is there twice is CEL's.
func (t *translator) table(e ast.MapExpr) *direct {
	d := &direct{constant: true}
	for _, entry := range e.Entries() {
		if entry.AsMapEntry().IsOptional() {
			return nil
		}
		key, value := t.operand(entry.AsMapEntry().Key()), t.operand(entry.AsMapEntry().Value())
		if key == nil || key.text == nil || !key.constant || value == nil || value.value() == nil || !value.constant {
			return nil
		}
		d.list, d.values = append(d.list, key), append(d.values, value)
	}
	if index, ok := indexed(d.list); !ok || len(index) < len(d.list) {
		return nil
	}
	return d
}

// longList is from how many texts on a list is looked up rather than gone through.
const longList = 6

// within is x in [a, b], or in the keys of a map.
func within[T any](compare func(x, y T) (int, bool)) build {
	return func(args []*direct) *direct {
		x, items := part[T](args[0]), parts[T](args[1].list)
		if x == nil || items == nil {
			return nil
		}
		if args[0].text != nil && args[1].constant && len(items) >= longList {
			return withinTexts(args[0].text, args[1].list)
		}
		return made(func(s *scratch) (found, ok bool) {
			v, ok := x(s)
			for _, item := range items {
				if !ok {
					return false, false
				}
				var w T
				if w, ok = item(s); !ok {
					return false, false
				}
				var order int
				order, ok = compare(v, w)
				found = found || order == 0
			}
			return found, ok
		})
	}
}

func withinTexts(x eval[[]byte], list []*direct) *direct {
	index, ok := indexed(list)
	if !ok {
		return nil
	}
	return made(func(s *scratch) (bool, bool) {
		text, ok := x(s)
		_, found := index[string(text)]
		return ok && found, ok
	})
}

// indexed says where each constant text stands.
func indexed(list []*direct) (map[string]int, bool) {
	index := map[string]int{}
	for i, d := range list {
		text, ok := d.text(&scratch{})
		if !ok {
			return nil, false
		}
		index[string(text)] = i
	}
	return index, true
}

// entryOf is {'a': x, 'b': y}[key]. A key that is not there is CEL's.
func entryOf[T any](args []*direct) *direct {
	if len(args) != 2 || args[0].values == nil || args[1].text == nil {
		return nil
	}
	values, key := parts[T](args[0].values), args[1].text
	index, ok := indexed(args[0].list)
	if !ok || values == nil {
		return nil
	}
	return made(func(s *scratch) (v T, ok bool) {
		text, ok := key(s)
		if !ok {
			return v, false
		}
		i, ok := index[string(text)]
		if !ok {
			return v, false
		}
		return values[i](s)
	})
}
