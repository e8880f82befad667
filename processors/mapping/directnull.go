package mapping

import "cel.dev/cel-go/common/ast"

// nullTest translates row.f == null, table[key] == null, table[key].f == null, and the same with !=.
func (t *translator) nullTest(e ast.Expr) *direct {
	p, equal, ok := nullTest(e)
	switch {
	case !ok:
		return nil
	case len(p) == 1 && !p.looked():
		return t.fieldNull(t.shape.Index(p[0]), equal)
	}
	tested := e.AsCall().Args()[0]
	if isNull(tested) {
		tested = e.AsCall().Args()[1]
	}
	if l, ok := t.lookedUp(tested); ok {
		return made(func(s *scratch) (bool, bool) {
			fields, ok := l.find(s)
			return (fields == nil) == equal, ok
		})
	}
	if tested.Kind() != ast.SelectKind {
		return nil
	}
	if l, ok := t.lookedUp(tested.AsSelect().Operand()); ok {
		return l.test(tested.AsSelect().FieldName(), equal)
	}
	return nil
}

// fieldNull is row.f == null, or the opposite. What is not null must be readable, as it must for CEL.
func (t *translator) fieldNull(i int, equal bool) *direct {
	sound := always(true)
	if field := t.fieldAt(i); field != nil {
		sound = field.sound()
	}
	return made(func(s *scratch) (bool, bool) {
		if s.null(i) {
			return equal, true
		}
		_, ok := sound(s)
		return !equal, ok
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
