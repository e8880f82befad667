package mapping

import (
	"slices"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"stripeline/schemas/rowshape"
)

// Most expressions are a little arithmetic, a comparison, a choice or a text put together. Those are evaluated here, from the bytes of the record
// to the bytes of the outcome, without a box around each value:
//
//	fields       int, long, float, double, boolean, string, enum, decimal, date, time and timestamp without null, or null and one of them;
//	             fields of looked-up values
//	literals     int, double, string, bool; null as a branch of ?: ; lists behind "in" and math.least, {'a': 1}[key]
//	operators    + - * / % - < <= > >= == != ! && || ?: in between values that CEL allows together
//	functions    those of directNumbers, directTexts, directTimes and directAmounts
//	null         row.f == null, row.f != null, has(row.f), table[key] == null, table[key].f != null
//
// CEL stays the law: what is not in the table is CEL's, and so is every record on which anything here does not come out plainly (null, overflow,
// division by zero, text that is not UTF-8): ok is false then, and CEL evaluates the whole expression and says what is wrong.

// eval gives a value of a record; ok is false when CEL must say.
type eval[T any] func(*scratch) (v T, ok bool)

// direct is an expression of the table above: at most one of the values is there; list, values and cut are operands only.
type direct struct {
	whole    eval[int64]
	real     eval[float64]
	truth    eval[bool]
	text     eval[[]byte]    // valid until the next record
	moment   eval[time.Time] // in UTC
	span     eval[time.Duration]
	amount   eval[amount]
	void     eval[bool] // the outcome is null when this holds; nil when it never is
	constant bool       // reads nothing
	reads    []int      // fields that are read for every record, whatever the others hold

	list   []*direct // [a, b], or the keys of {a: x, b: y}
	values []*direct // x and y, constants
	cut    *cut      // text.split(separator)
}

// null is the literal null.
func (d *direct) null() bool { return d.void != nil && d.value() == nil }

// value is the value that is there, nil for an operand that is none.
func (d *direct) value() any {
	switch {
	case d.whole != nil:
		return d.whole
	case d.real != nil:
		return d.real
	case d.truth != nil:
		return d.truth
	case d.text != nil:
		return d.text
	case d.moment != nil:
		return d.moment
	case d.span != nil:
		return d.span
	case d.amount != nil:
		return d.amount
	}
	return nil
}

// part is the value of d when it is a T, else nil.
func part[T any](d *direct) eval[T] {
	e, _ := d.value().(eval[T])
	return e
}

func made[T any](e eval[T]) *direct {
	switch e := any(e).(type) {
	case eval[int64]:
		return &direct{whole: e}
	case eval[float64]:
		return &direct{real: e}
	case eval[bool]:
		return &direct{truth: e}
	case eval[[]byte]:
		return &direct{text: e}
	case eval[time.Time]:
		return &direct{moment: e}
	case eval[time.Duration]:
		return &direct{span: e}
	case eval[amount]:
		return &direct{amount: e}
	}
	return nil
}

// translator makes direct expressions of checked ones.
type translator struct {
	shape   *rowshape.Shape
	lookups []*Lookup
	asked   map[int64]bool // idents of lookups that are tested for null
}

// directOf translates a checked expression, or gives nil when it is not one of the table.
func (t *translator) directOf(e ast.Expr) *direct {
	if d := t.operand(e); d != nil && d.value() != nil {
		return d
	}
	return nil
}

// operand is directOf for what may also be a list, a map, null or a text in pieces.
func (t *translator) operand(e ast.Expr) *direct {
	switch e.Kind() {
	case ast.LiteralKind:
		return directLiteral(e)
	case ast.SelectKind:
		if call, ok := t.lookedUp(e.AsSelect().Operand()); ok {
			return call.field(e.AsSelect())
		}
		return t.field(e)
	case ast.CallKind:
		return t.call(e)
	case ast.ListKind:
		return t.list(e.AsList())
	case ast.MapKind:
		return t.table(e.AsMap())
	}
	return nil
}

func always[T any](v T) eval[T] { return func(*scratch) (T, bool) { return v, true } }

func directLiteral(e ast.Expr) (d *direct) {
	switch v := e.AsLiteral().(type) {
	case types.Int:
		d = made(always(int64(v)))
	case types.Double:
		d = made(always(float64(v)))
	case types.Bool:
		d = made(always(bool(v)))
	case types.String:
		d = made(always([]byte(v)))
	case types.Null:
		d = &direct{void: always(true)}
	default:
		return nil
	}
	d.constant = true
	return d
}

// call translates an operator or a function whose operands can be translated.
func (t *translator) call(e ast.Expr) *direct {
	if d := t.nullTest(e); d != nil {
		return d
	}
	call := e.AsCall()
	operands := call.Args()
	if call.IsMemberFunction() {
		operands = append([]ast.Expr{call.Target()}, operands...)
	}
	args := make([]*direct, len(operands))
	constant := true
	for i, operand := range operands {
		args[i] = t.operand(operand)
		if args[i] == nil || args[i].void != nil && (call.FunctionName() != operators.Conditional || i == 0) {
			return nil
		}
		constant = constant && args[i].constant
	}
	for _, b := range builds(call.FunctionName()) {
		if d := b(args); d != nil {
			d.reads = alwaysRead(call.FunctionName(), args)
			if constant {
				return d.folded()
			}
			return d
		}
	}
	return nil
}

// alwaysRead are the fields that a function reads whatever its operands are. The second operand of && and || may not be asked.
func alwaysRead(name string, args []*direct) (reads []int) {
	switch name {
	case operators.Conditional:
		reads = append(reads, args[0].reads...)
		for _, i := range args[1].reads {
			if slices.Contains(args[2].reads, i) {
				reads = append(reads, i)
			}
		}
		return reads
	case operators.LogicalAnd, operators.LogicalOr:
		return args[0].reads
	}
	for _, arg := range args {
		reads = append(reads, arg.reads...)
		for _, item := range arg.list {
			reads = append(reads, item.reads...)
		}
	}
	return reads
}

// folded is d, which reads nothing, with its value worked out.
func (d *direct) folded() *direct {
	if d.void != nil {
		return d
	}
	for _, fold := range []func(*direct) *direct{fold1[int64], fold1[float64], fold1[bool], fold1[[]byte], fold1[time.Time], fold1[time.Duration], fold1[amount]} {
		if folded := fold(d); folded != nil {
			return folded
		}
	}
	return d
}

func fold1[T any](d *direct) *direct {
	e := part[T](d)
	if e == nil {
		return nil
	}
	v, ok := e(&scratch{})
	if !ok {
		return nil
	}
	folded := made(always(v))
	folded.constant = true
	return folded
}
