package mapping

import (
	"time"

	"cel.dev/cel-go/common/operators"
)

// build makes a direct expression of a function's operands, nil when it is not for operands of these types.
type build func(args []*direct) *direct

// builds are what a function may be, by the types of its operands. CEL has checked the types: one of them fits, or it is CEL's.
func builds(name string) []build {
	found := comparisons(name)
	for _, table := range []map[string][]build{directLogic, directNumbers, directTexts, directTimes, directAmounts} {
		found = append(found, table[name]...)
	}
	return found
}

func single[A, R any](op func(s *scratch, x A) (R, bool)) build {
	return func(args []*direct) *direct {
		if len(args) != 1 {
			return nil
		}
		a := part[A](args[0])
		if a == nil {
			return nil
		}
		return made(func(s *scratch) (r R, ok bool) {
			x, ok := a(s)
			if !ok {
				return r, false
			}
			return op(s, x)
		})
	}
}

func pair[A, B, R any](op func(s *scratch, x A, y B) (R, bool)) build {
	return func(args []*direct) *direct {
		if len(args) != 2 {
			return nil
		}
		a, b := part[A](args[0]), part[B](args[1])
		if a == nil || b == nil {
			return nil
		}
		return made(func(s *scratch) (r R, ok bool) {
			x, ok := a(s)
			if !ok {
				return r, false
			}
			y, ok := b(s)
			if !ok {
				return r, false
			}
			return op(s, x, y)
		})
	}
}

func itself[T any](_ *scratch, x T) (T, bool) { return x, true }

// directLogic leaves it to CEL what an operand that does not come out means to the other.
var directLogic = map[string][]build{
	operators.LogicalNot: {single(func(_ *scratch, x bool) (bool, bool) { return !x, true })},
	operators.LogicalAnd: {func(args []*direct) *direct {
		if len(args) != 2 || args[0].truth == nil || args[1].truth == nil {
			return nil
		}
		return made(choose(args[0].truth, args[1].truth, always(false)))
	}},
	operators.LogicalOr: {func(args []*direct) *direct {
		if len(args) != 2 || args[0].truth == nil || args[1].truth == nil {
			return nil
		}
		return made(choose(args[0].truth, always(true), args[1].truth))
	}},
	operators.Conditional: {choice[int64], choice[float64], choice[bool], choice[[]byte], choice[time.Time], choice[time.Duration], choice[amount]},
	operators.In:          {within(wholeOrder), within(realOrder), within(textOrder), within(momentOrder), within(spanOrder), within(amountOrder)},
	operators.Index:       {piece, entryOf[int64], entryOf[float64], entryOf[bool], entryOf[[]byte]},
}

// choice is condition ? a : b, of which one may be the literal null.
func choice[T any](args []*direct) *direct {
	if len(args) != 3 || args[0].truth == nil {
		return nil
	}
	when, a, b := args[0].truth, branch[T](args[1]), branch[T](args[2])
	if a == nil || b == nil {
		return nil
	}
	d := made(choose(when, a, b))
	if args[1].void != nil || args[2].void != nil {
		d.void = choose(when, args[1].voids(), args[2].voids())
	}
	return d
}

// branch is a branch of a choice; the literal null has no value, and is not asked for one.
func branch[T any](d *direct) eval[T] {
	if d.null() {
		return func(*scratch) (v T, ok bool) { return v, false }
	}
	return part[T](d)
}

func (d *direct) voids() eval[bool] {
	if d.void == nil {
		return always(false)
	}
	return d.void
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

// orders are what comparisons say of an order, which is below, at or above 0.
var orders = map[string]func(order int) bool{
	operators.Less:          func(order int) bool { return order < 0 },
	operators.LessEquals:    func(order int) bool { return order <= 0 },
	operators.Greater:       func(order int) bool { return order > 0 },
	operators.GreaterEquals: func(order int) bool { return order >= 0 },
	operators.Equals:        func(order int) bool { return order == 0 },
	operators.NotEquals:     func(order int) bool { return order != 0 },
}

// comparisons are the builds of a comparison, none when name is something else.
func comparisons(name string) []build {
	says, ok := orders[name]
	if !ok {
		return nil
	}
	return []build{
		compared(wholeOrder, says), compared(realOrder, says), compared(textOrder, says), compared(truthOrder, says), compared(momentOrder, says),
		compared(spanOrder, says), compared(amountOrder, says), compared(realWholeOrder, says), compared(wholeRealOrder, says),
	}
}

func compared[A, B any](compare func(x A, y B) (int, bool), says func(order int) bool) build {
	return pair(func(_ *scratch, x A, y B) (bool, bool) {
		order, ok := compare(x, y)
		return ok && says(order), ok
	})
}
