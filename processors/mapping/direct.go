package mapping

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"stripeline/schemas/rowshape"
)

// Most expressions are a little arithmetic, a comparison, a choice or a text put together. Those are evaluated here, from the bytes of the record
// to the bytes of the outcome, without a box around each value:
//
//	fields       int, long, float, double, boolean, string without null, or null and one of them
//	literals     int, double, string, bool
//	operators    + - * / % - < <= > >= == != ! && || ?: between values of one type
//	functions    int(double) double(int) string(int) string(double) size(string) upperAscii lowerAscii startsWith endsWith contains
//	null         row.f == null, row.f != null, has(row.f)
//
// CEL stays the law: what is not in the table is CEL's, and so is every record on which anything here does not come out plainly (null, overflow,
// division by zero, text that is not UTF-8): ok is false then, and CEL evaluates the whole expression and says what is wrong.

// eval gives a value of a record; ok is false when CEL must say.
type eval[T any] func(*scratch) (v T, ok bool)

// direct is an expression of the table above: exactly one of its members is there.
type direct struct {
	whole eval[int64]
	real  eval[float64]
	truth eval[bool]
	text  eval[[]byte] // valid until the next record
}

// directOf translates a checked expression, or gives nil when it is not one of the table.
func directOf(shape *rowshape.Shape, e ast.Expr) *direct {
	switch e.Kind() {
	case ast.LiteralKind:
		return directLiteral(e)
	case ast.SelectKind:
		return directField(shape, e)
	case ast.CallKind:
		return directCall(shape, e)
	}
	return nil
}

func always[T any](v T) eval[T] { return func(*scratch) (T, bool) { return v, true } }

func directLiteral(e ast.Expr) *direct {
	switch v := e.AsLiteral().(type) {
	case types.Int:
		return &direct{whole: always(int64(v))}
	case types.Double:
		return &direct{real: always(float64(v))}
	case types.Bool:
		return &direct{truth: always(bool(v))}
	case types.String:
		return &direct{text: always([]byte(v))}
	}
	return nil
}

func directField(shape *rowshape.Shape, e ast.Expr) *direct {
	p, ok := pathOf(e)
	if !ok || len(p) != 1 || p.looked() {
		return nil
	}
	i := shape.Index(p[0])
	if e.AsSelect().IsTestOnly() {
		return &direct{truth: func(s *scratch) (bool, bool) { return !s.null(i), true }}
	}
	slot, ok := shape.Fields[i].Type.Slot()
	if !ok || slot.Type().Logical != "" {
		return nil
	}
	switch slot.Type().Kind {
	case rowshape.Int, rowshape.Long:
		return &direct{whole: func(s *scratch) (int64, bool) { return slot.Whole(s.bytes(i)) }}
	case rowshape.Float, rowshape.Double:
		return &direct{real: func(s *scratch) (float64, bool) { return slot.Real(s.bytes(i)) }}
	case rowshape.Boolean:
		return &direct{truth: func(s *scratch) (bool, bool) { return slot.Truth(s.bytes(i)) }}
	case rowshape.String:
		return &direct{text: func(s *scratch) ([]byte, bool) { return slot.Text(s.bytes(i)) }}
	}
	return nil
}

func directCall(shape *rowshape.Shape, e ast.Expr) *direct {
	if p, equal, ok := nullTest(e); ok && len(p) == 1 && !p.looked() {
		i := shape.Index(p[0])
		return &direct{truth: func(s *scratch) (bool, bool) { return s.null(i) == equal, true }}
	}
	call := e.AsCall()
	operands := call.Args()
	if call.IsMemberFunction() {
		operands = append([]ast.Expr{call.Target()}, operands...)
	}
	args := make([]*direct, len(operands))
	for i, operand := range operands {
		if args[i] = directOf(shape, operand); args[i] == nil {
			return nil
		}
	}
	switch {
	case len(args) == 1:
		return directUnary(call.FunctionName(), args[0])
	case len(args) == 2:
		return directBinary(call.FunctionName(), args[0], args[1])
	case call.FunctionName() == operators.Conditional:
		return directChoice(args[0].truth, args[1], args[2])
	}
	return nil
}

func directChoice(condition eval[bool], a, b *direct) *direct {
	switch {
	case condition == nil:
		return nil
	case a.whole != nil && b.whole != nil:
		return &direct{whole: choose(condition, a.whole, b.whole)}
	case a.real != nil && b.real != nil:
		return &direct{real: choose(condition, a.real, b.real)}
	case a.truth != nil && b.truth != nil:
		return &direct{truth: choose(condition, a.truth, b.truth)}
	case a.text != nil && b.text != nil:
		return &direct{text: choose(condition, a.text, b.text)}
	}
	return nil
}

func choose[T any](condition eval[bool], a, b eval[T]) eval[T] {
	return func(s *scratch) (v T, ok bool) {
		yes, ok := condition(s)
		switch {
		case !ok:
			return v, false
		case yes:
			return a(s)
		}
		return b(s)
	}
}

func directBinary(name string, a, b *direct) *direct {
	switch {
	case a.whole != nil && b.whole != nil:
		if op, ok := wholeOperators[name]; ok {
			return &direct{whole: both(a.whole, b.whole, op)}
		}
		return comparison(name, a.whole, b.whole, wholeOrder)
	case a.real != nil && b.real != nil:
		if op, ok := realOperators[name]; ok {
			return &direct{real: both(a.real, b.real, op)}
		}
		return comparison(name, a.real, b.real, realOrder)
	case a.text != nil && b.text != nil:
		if name == operators.Add {
			return &direct{text: joined(a.text, b.text)}
		}
		if op, ok := textTests[name]; ok {
			return &direct{truth: both(a.text, b.text, op)}
		}
		return comparison(name, a.text, b.text, textOrder)
	case a.truth != nil && b.truth != nil:
		return directLogic(name, a.truth, b.truth)
	}
	return nil
}

func both[T, R any](a, b eval[T], op func(x, y T) (R, bool)) eval[R] {
	return func(s *scratch) (r R, ok bool) {
		x, ok := a(s)
		if !ok {
			return r, false
		}
		y, ok := b(s)
		if !ok {
			return r, false
		}
		return op(x, y)
	}
}

// directLogic leaves it to CEL what an operand that does not come out means to the other.
func directLogic(name string, a, b eval[bool]) *direct {
	switch name {
	case operators.LogicalAnd:
		return &direct{truth: choose(a, b, always(false))}
	case operators.LogicalOr:
		return &direct{truth: choose(a, always(true), b)}
	case operators.Equals:
		return &direct{truth: both(a, b, func(x, y bool) (bool, bool) { return x == y, true })}
	case operators.NotEquals:
		return &direct{truth: both(a, b, func(x, y bool) (bool, bool) { return x != y, true })}
	}
	return nil
}
