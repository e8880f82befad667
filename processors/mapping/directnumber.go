package mapping

import (
	"cmp"
	"math"
	"strconv"

	"cel.dev/cel-go/common/operators"
)

// directNumbers are the functions of whole and real numbers, and of truth.
var directNumbers = map[string][]build{
	operators.Add:      {pair(plus), pair(func(_ *scratch, x, y float64) (float64, bool) { return x + y, true })},
	operators.Subtract: {pair(minus), pair(func(_ *scratch, x, y float64) (float64, bool) { return x - y, true })},
	operators.Multiply: {pair(times), pair(func(_ *scratch, x, y float64) (float64, bool) { return x * y, true })},
	operators.Divide:   {pair(over), pair(func(_ *scratch, x, y float64) (float64, bool) { return x / y, true })},
	operators.Modulo:   {pair(remainder)},
	operators.Negate: {single(func(_ *scratch, x int64) (int64, bool) { return -x, x != math.MinInt64 }),
		single(func(_ *scratch, x float64) (float64, bool) { return -x, true })},
	"int":    {single(itself[int64]), single(func(_ *scratch, x float64) (int64, bool) { return int64(x), x > -exactWhole && x < exactWhole })},
	"double": {single(itself[float64]), single(func(_ *scratch, x int64) (float64, bool) { return float64(x), true })},
	"bool":   {single(itself[bool])},
	"string": {single(wholeText), single(realText), single(func(s *scratch, x bool) ([]byte, bool) {
		return s.keep(func(dst []byte) []byte { return strconv.AppendBool(dst, x) }), true
	})},
	"math.@max": {pair(maxWhole), pair(maxReal), most(maxWhole), most(maxReal)},
	"math.@min": {pair(minWhole), pair(minReal), most(minWhole), most(minReal)},
	"math.abs": {single(func(_ *scratch, x int64) (int64, bool) { return max(x, -x), x != math.MinInt64 }),
		single(func(_ *scratch, x float64) (float64, bool) { return math.Abs(x), true })},
	"math.ceil":     {rounding(math.Ceil)},
	"math.floor":    {rounding(math.Floor)},
	"math.round":    {rounding(math.Round)},
	"math.trunc":    {rounding(math.Trunc)},
	"math.sqrt":     {rounding(math.Sqrt), single(func(_ *scratch, x int64) (float64, bool) { return math.Sqrt(float64(x)), true })},
	"math.isNaN":    {single(func(_ *scratch, x float64) (bool, bool) { return math.IsNaN(x), true })},
	"math.isInf":    {single(func(_ *scratch, x float64) (bool, bool) { return math.IsInf(x, 0), true })},
	"math.isFinite": {single(func(_ *scratch, x float64) (bool, bool) { return x-x == 0, true })},
	"math.sign":     {single(func(_ *scratch, x int64) (int64, bool) { return int64(cmp.Compare(x, 0)), true })},
}

func plus(_ *scratch, x, y int64) (int64, bool) { r := x + y; return r, (r > x) == (y > 0) }

func minus(_ *scratch, x, y int64) (int64, bool) { r := x - y; return r, (r < x) == (y > 0) }

// exactProduct bounds factors whose product cannot overflow, which saves a division.
const exactProduct = 1 << 31

func times(_ *scratch, x, y int64) (int64, bool) {
	if x > -exactProduct && x < exactProduct && y > -exactProduct && y < exactProduct {
		return x * y, true
	}
	product := x * y
	return product, x == 0 || x != -1 && product/x == y
}

func over(_ *scratch, x, y int64) (int64, bool) {
	if y == 0 || x == math.MinInt64 {
		return 0, false
	}
	return x / y, true
}

func remainder(_ *scratch, x, y int64) (int64, bool) {
	if y == 0 || x == math.MinInt64 {
		return 0, false
	}
	return x % y, true
}

// exactWhole bounds the doubles that int() takes here.
const exactWhole = 1 << 62

func wholeText(s *scratch, x int64) ([]byte, bool) {
	return s.keep(func(dst []byte) []byte { return strconv.AppendInt(dst, x, 10) }), true
}

func realText(s *scratch, x float64) ([]byte, bool) {
	return s.keep(func(dst []byte) []byte { return strconv.AppendFloat(dst, x, 'g', -1, 64) }), true
}

func rounding(round func(float64) float64) build {
	return single(func(_ *scratch, x float64) (float64, bool) { return round(x), true })
}

// maxReal is the first of two equal ones, as 0.0 and -0.0 are.
func maxReal(_ *scratch, x, y float64) (float64, bool) {
	if x < y {
		return y, true
	}
	return x, x == x && y == y
}

func minReal(_ *scratch, x, y float64) (float64, bool) {
	if x > y {
		return y, true
	}
	return x, x == x && y == y
}

func maxWhole(_ *scratch, x, y int64) (int64, bool) { return max(x, y), true }

func minWhole(_ *scratch, x, y int64) (int64, bool) { return min(x, y), true }

// most folds a list of values of one type.
func most[T any](op func(s *scratch, x, y T) (T, bool)) build {
	return func(args []*direct) *direct {
		if len(args) != 1 || args[0].values != nil {
			return nil
		}
		items := parts[T](args[0].list)
		if items == nil {
			return nil
		}
		return made(func(s *scratch) (T, bool) {
			best, ok := items[0](s)
			for _, item := range items[1:] {
				v, found := item(s)
				if !ok || !found {
					return best, false
				}
				best, ok = op(s, best, v)
			}
			return best, ok
		})
	}
}

// parts are the values of all when each is a T, else nil.
func parts[T any](all []*direct) []eval[T] {
	var found []eval[T]
	for _, d := range all {
		e := part[T](d)
		if e == nil {
			return nil
		}
		found = append(found, e)
	}
	return found
}

func wholeOrder(x, y int64) (int, bool) { return cmp.Compare(x, y), true }

// realOrder leaves what is not a number to CEL.
func realOrder(x, y float64) (int, bool) { return cmp.Compare(x, y), x == x && y == y }

// exactReal bounds the whole numbers that are the same as doubles.
const exactReal = 1 << 53

func realWholeOrder(x float64, y int64) (int, bool) {
	order, ok := realOrder(x, float64(y))
	return order, ok && y > -exactReal && y < exactReal
}

func wholeRealOrder(x int64, y float64) (int, bool) {
	order, ok := realWholeOrder(y, x)
	return -order, ok
}

func truthOrder(x, y bool) (int, bool) {
	switch {
	case x == y:
		return 0, true
	case y:
		return -1, true
	}
	return 1, true
}
