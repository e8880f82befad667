package mapping

import "cel.dev/cel-go/common/ast"

// nullTest translates row.f == null, table[key] == null, table[key].f == null, and the same with !=.
func (t *translator) nullTest(e ast.Expr) *direct {
	p, equal, ok := nullTest(e)
	if !ok {
		return nil
	}
	d := t.isNull(p, e)
	if d == nil || equal {
		return d
	}
	return negated(d)
}

// isNull says whether the path that e tests is null.
func (t *translator) isNull(p path, e ast.Expr) *direct {
	if len(p) == 1 && !p.looked() {
		return t.fieldNull(t.shape.Index(p[0]))
	}
	tested := e.AsCall().Args()[0]
	if isNull(tested) {
		tested = e.AsCall().Args()[1]
	}
	if l, ok := t.lookedUp(tested); ok {
		return made(func(s *scratch) (bool, bool) {
			fields, ok := l.find(s)
			return fields == nil, ok
		})
	}
	if tested.Kind() != ast.SelectKind {
		return nil
	}
	if l, ok := t.lookedUp(tested.AsSelect().Operand()); ok {
		return l.fieldNull(tested.AsSelect().FieldName())
	}
	return nil
}

// negated is the opposite of a truth.
func negated(d *direct) *direct {
	return made(func(s *scratch) (bool, bool) {
		yes, ok := d.truth(s)
		return !yes, ok
	})
}

// fieldNull is row.f == null. What is not null must be readable, as it must for CEL.
func (t *translator) fieldNull(i int) *direct {
	sound := always(true)
	if field := t.fieldAt(i); field != nil {
		sound = field.sound()
	}
	return made(func(s *scratch) (bool, bool) {
		if s.null(i) {
			return true, true
		}
		_, ok := sound(s)
		return false, ok
	})
}

// sound comes out when the value does. Any bytes are a decimal.
func (d *direct) sound() eval[bool] {
	switch {
	case d.whole != nil:
		return outcome(d.whole)
	case d.text != nil:
		return outcome(d.text)
	case d.moment != nil:
		return outcome(d.moment)
	case d.span != nil:
		return outcome(d.span)
	}
	return always(true)
}

func outcome[T any](value eval[T]) eval[bool] {
	return func(s *scratch) (bool, bool) {
		_, ok := value(s)
		return ok, ok
	}
}
