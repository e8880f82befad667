package mapping

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
	"unicode/utf8"

	"cel.dev/cel-go/common/operators"
)

var wholeOperators = map[string]func(x, y int64) (int64, bool){
	operators.Add:      func(x, y int64) (int64, bool) { r := x + y; return r, (r > x) == (y > 0) },
	operators.Subtract: func(x, y int64) (int64, bool) { r := x - y; return r, (r < x) == (y > 0) },
	operators.Multiply: multiply,
	operators.Divide:   func(x, y int64) (int64, bool) { return divided(x, y, func(x, y int64) int64 { return x / y }) },
	operators.Modulo:   func(x, y int64) (int64, bool) { return divided(x, y, func(x, y int64) int64 { return x % y }) },
}

// exactProduct bounds factors whose product cannot overflow, which saves a division.
const exactProduct = 1 << 31

func multiply(x, y int64) (int64, bool) {
	if x > -exactProduct && x < exactProduct && y > -exactProduct && y < exactProduct {
		return x * y, true
	}
	product := x * y
	return product, x == 0 || x != -1 && product/x == y
}

func divided(x, y int64, op func(x, y int64) int64) (int64, bool) {
	if y == 0 || y == -1 {
		return 0, false
	}
	return op(x, y), true
}

var realOperators = map[string]func(x, y float64) (float64, bool){
	operators.Add:      func(x, y float64) (float64, bool) { return x + y, true },
	operators.Subtract: func(x, y float64) (float64, bool) { return x - y, true },
	operators.Multiply: func(x, y float64) (float64, bool) { return x * y, true },
	operators.Divide:   func(x, y float64) (float64, bool) { return x / y, true },
}

// orders are what comparisons say of cmp.Compare's answer.
var orders = map[string]func(order int) bool{
	operators.Less:          func(order int) bool { return order < 0 },
	operators.LessEquals:    func(order int) bool { return order <= 0 },
	operators.Greater:       func(order int) bool { return order > 0 },
	operators.GreaterEquals: func(order int) bool { return order >= 0 },
	operators.Equals:        func(order int) bool { return order == 0 },
	operators.NotEquals:     func(order int) bool { return order != 0 },
}

func comparison[T any](name string, a, b eval[T], compare func(x, y T) (int, bool)) *direct {
	says, ok := orders[name]
	if !ok {
		return nil
	}
	return &direct{truth: both(a, b, func(x, y T) (bool, bool) {
		order, ok := compare(x, y)
		return ok && says(order), ok
	})}
}

func wholeOrder(x, y int64) (int, bool) { return cmp.Compare(x, y), true }

func textOrder(x, y []byte) (int, bool) { return bytes.Compare(x, y), true }

// realOrder leaves what is not a number to CEL.
func realOrder(x, y float64) (int, bool) { return cmp.Compare(x, y), x == x && y == y }

var textTests = map[string]func(x, y []byte) (bool, bool){
	"startsWith": func(x, y []byte) (bool, bool) { return bytes.HasPrefix(x, y), true },
	"endsWith":   func(x, y []byte) (bool, bool) { return bytes.HasSuffix(x, y), true },
	"contains":   func(x, y []byte) (bool, bool) { return bytes.Contains(x, y), true },
}

// joined puts two texts together in the scratch's memory.
func joined(a, b eval[[]byte]) eval[[]byte] {
	return func(s *scratch) ([]byte, bool) {
		x, ok := a(s)
		if !ok {
			return nil, false
		}
		y, ok := b(s)
		if !ok {
			return nil, false
		}
		return s.keep(func(dst []byte) []byte { return append(append(dst, x...), y...) }), true
	}
}

func directUnary(name string, a *direct) *direct {
	switch {
	case a.whole != nil:
		return unaryWhole(name, a.whole)
	case a.real != nil:
		return unaryReal(name, a.real)
	case a.text != nil:
		return unaryText(name, a.text)
	case name == operators.LogicalNot:
		return &direct{truth: one(a.truth, func(_ *scratch, x bool) (bool, bool) { return !x, true })}
	}
	return nil
}

func one[T, R any](a eval[T], op func(s *scratch, x T) (R, bool)) eval[R] {
	return func(s *scratch) (r R, ok bool) {
		x, ok := a(s)
		if !ok {
			return r, false
		}
		return op(s, x)
	}
}

func unaryWhole(name string, a eval[int64]) *direct {
	switch name {
	case operators.Negate:
		return &direct{whole: one(a, func(_ *scratch, x int64) (int64, bool) { return -x, x != math.MinInt64 })}
	case "int":
		return &direct{whole: a}
	case "double":
		return &direct{real: one(a, func(_ *scratch, x int64) (float64, bool) { return float64(x), true })}
	case "string":
		return &direct{text: one(a, func(s *scratch, x int64) ([]byte, bool) {
			return s.keep(func(dst []byte) []byte { return strconv.AppendInt(dst, x, 10) }), true
		})}
	}
	return nil
}

// exactWhole bounds the doubles that int() takes here.
const exactWhole = 1 << 62

func unaryReal(name string, a eval[float64]) *direct {
	switch name {
	case operators.Negate:
		return &direct{real: one(a, func(_ *scratch, x float64) (float64, bool) { return -x, true })}
	case "double":
		return &direct{real: a}
	case "int":
		return &direct{whole: one(a, func(_ *scratch, x float64) (int64, bool) { return int64(x), x > -exactWhole && x < exactWhole })}
	case "string":
		return &direct{text: one(a, func(s *scratch, x float64) ([]byte, bool) {
			return s.keep(func(dst []byte) []byte { return strconv.AppendFloat(dst, x, 'g', -1, 64) }), true
		})}
	}
	return nil
}

func unaryText(name string, a eval[[]byte]) *direct {
	switch name {
	case "string":
		return &direct{text: a}
	case "size":
		return &direct{whole: one(a, func(_ *scratch, x []byte) (int64, bool) { return int64(utf8.RuneCount(x)), true })}
	case "upperAscii":
		return &direct{text: shifted(a, 'a', 'z')}
	case "lowerAscii":
		return &direct{text: shifted(a, 'A', 'Z')}
	}
	return nil
}

// shifted gives the letters from first to last in the other case.
func shifted(a eval[[]byte], first, last byte) eval[[]byte] {
	return one(a, func(s *scratch, x []byte) ([]byte, bool) {
		return s.keep(func(dst []byte) []byte {
			for _, c := range x {
				if c >= first && c <= last {
					c ^= ' '
				}
				dst = append(dst, c)
			}
			return dst
		}), true
	})
}
