package mapping

import (
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"stripeline/schemas/rowshape"
)

// looked is table[key].
type looked struct {
	lookup *Lookup
	key    eval[[]byte]
	asked  bool // whether it is there is tested
}

// lookedUp translates table[key]; ok is false for anything else.
func (t *translator) lookedUp(e ast.Expr) (l looked, ok bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Index {
		return l, false
	}
	args := e.AsCall().Args()
	for _, lookup := range t.lookups {
		if args[0].Kind() != ast.IdentKind || args[0].AsIdent() != lookup.Name {
			continue
		}
		if key := t.directOf(args[1]); key != nil && key.text != nil && key.void == nil {
			return looked{lookup, key.text, t.asked[args[0].ID()]}, true
		}
	}
	return l, false
}

// find gives the value of the key, nil for one that is not there.
func (l looked) find(s *scratch) (map[string]any, bool) {
	key, ok := l.key(s)
	if !ok {
		return nil, false
	}
	fields := l.lookup.Find(s.name(key))
	s.missed = s.missed || fields == nil && !l.asked
	return fields, true
}

// get gives a field of the value, nil when one of them is not there.
func (l looked) get(s *scratch, field string) (v any, ok bool) {
	fields, ok := l.find(s)
	v = fields[field]
	s.missed = s.missed || v == nil && !l.asked
	return v, ok
}

// field translates table[key].f and has(table[key].f).
func (l looked) field(e ast.SelectExpr) *direct {
	name := e.FieldName()
	if e.IsTestOnly() {
		return negated(l.fieldNull(name))
	}
	i := l.lookup.Shape.Index(name)
	if i < 0 {
		return nil
	}
	slot, ok := l.lookup.Shape.Fields[i].Type.Slot()
	if !ok {
		return nil
	}
	switch celTypeOf(slot.Type()).Kind() {
	case typeOfConstant(int64(0)).Kind():
		return lookedValue[int64](l, name)
	case typeOfConstant(0.0).Kind():
		return lookedValue[float64](l, name)
	case typeOfConstant(true).Kind():
		return lookedValue[bool](l, name)
	case typeOfConstant("").Kind():
		return l.text(name)
	}
	return l.logical(slot.Type(), name)
}

func (l looked) logical(t *rowshape.Type, name string) *direct {
	switch {
	case t.Logical == rowshape.Decimal:
		return l.decimal(name)
	case spanUnits[t.Logical] > 0:
		return lookedValue[time.Duration](l, name)
	case moments[t.Logical] != nil:
		return lookedValue[time.Time](l, name)
	}
	return nil
}

func lookedValue[T any](l looked, name string) *direct {
	return made(func(s *scratch) (T, bool) {
		v, ok := l.get(s, name)
		value, is := v.(T)
		return value, ok && is
	})
}

func (l looked) text(name string) *direct {
	return made(func(s *scratch) ([]byte, bool) {
		v, ok := l.get(s, name)
		text, is := v.(string)
		return s.keep(func(dst []byte) []byte { return append(dst, text...) }), ok && is
	})
}

func (l looked) decimal(name string) *direct {
	return made(func(s *scratch) (amount, bool) {
		v, ok := l.get(s, name)
		n, is := v.(rowshape.Number)
		if !ok || !is || n.Scale > maxScale || !n.Unscaled.IsInt64() {
			return amount{}, false
		}
		return amount{n.Unscaled.Int64(), n.Scale}, true
	})
}

// fieldNull says whether a field of the value is null.
func (l looked) fieldNull(field string) *direct {
	return made(func(s *scratch) (bool, bool) {
		v, ok := l.get(s, field)
		return v == nil, ok
	})
}
