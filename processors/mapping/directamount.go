package mapping

import (
	"cmp"
	"math"
	"strconv"

	"cel.dev/cel-go/common/operators"

	"stripeline/schemas/rowshape"
)

// amount is a decimal of up to 18 digits, unscaled / 10^scale. A longer one is CEL's.
type amount struct {
	unscaled int64
	scale    int
}

// maxScale is how many digits an amount surely holds.
const maxScale = 18

// powers are 10^0 to 10^18.
var powers = func() (all [maxScale + 1]int64) {
	all[0] = 1
	for i := 1; i < len(all); i++ {
		all[i] = all[i-1] * 10
	}
	return all
}()

// directAmounts are the functions of decimals.
var directAmounts = map[string][]build{
	operators.Add:      {pair(aligned(plus))},
	operators.Subtract: {pair(aligned(minus))},
	operators.Multiply: {pair(func(s *scratch, x, y amount) (amount, bool) {
		n, ok := times(s, x.unscaled, y.unscaled)
		return amount{n, x.scale + y.scale}, ok && x.scale+y.scale <= maxScale
	})},
	"decimal": {single(parseAmount), single(func(_ *scratch, x int64) (amount, bool) { return amount{x, 0}, true })},
	"string":  {single(amountText)},
}

// rescaled is the same number with another scale; false when it has no such form.
func (a amount) rescaled(scale int) (amount, bool) {
	switch {
	case scale == a.scale:
		return a, true
	case scale < a.scale:
		power := powers[a.scale-scale]
		return amount{a.unscaled / power, scale}, a.unscaled%power == 0
	case scale > maxScale:
		return a, false
	}
	n, ok := times(nil, a.unscaled, powers[scale-a.scale])
	return amount{n, scale}, ok
}

func aligned(op func(*scratch, int64, int64) (int64, bool)) func(*scratch, amount, amount) (amount, bool) {
	return func(s *scratch, x, y amount) (amount, bool) {
		scale := max(x.scale, y.scale)
		x, okX := x.rescaled(scale)
		y, okY := y.rescaled(scale)
		if !okX || !okY {
			return amount{}, false
		}
		n, ok := op(s, x.unscaled, y.unscaled)
		return amount{n, scale}, ok
	}
}

func amountOrder(x, y amount) (int, bool) {
	scale := max(x.scale, y.scale)
	x, okX := x.rescaled(scale)
	y, okY := y.rescaled(scale)
	return cmp.Compare(x.unscaled, y.unscaled), okX && okY
}

// parseAmount reads digits with a sign and a point, as decimal() does.
func parseAmount(_ *scratch, text []byte) (amount, bool) {
	if len(text) == 0 || len(text) > maxDigits {
		return amount{}, false
	}
	digits := text
	if text[0] == '-' || text[0] == '+' {
		digits = text[1:]
	}
	a, point := amount{}, false
	for _, c := range digits {
		switch {
		case c == '.' && !point:
			point = true
			continue
		case c < '0' || c > '9' || a.unscaled >= powers[maxScale-1] || a.scale == maxScale:
			return amount{}, false
		case point:
			a.scale++
		}
		a.unscaled = a.unscaled*10 + int64(c-'0')
	}
	if text[0] == '-' {
		a.unscaled = -a.unscaled
	}
	return a, len(digits) > 1 || len(digits) == 1 && !point
}

// amountText has exactly scale digits behind the point.
func amountText(s *scratch, a amount) ([]byte, bool) {
	if a.unscaled == math.MinInt64 {
		return nil, false
	}
	return s.keep(func(dst []byte) []byte {
		n := a.unscaled
		if n < 0 {
			dst, n = append(dst, '-'), -n
		}
		dst = strconv.AppendInt(dst, n/powers[a.scale], 10)
		if a.scale == 0 {
			return dst
		}
		dst = append(dst, '.')
		for i := a.scale - 1; i >= 0; i-- {
			dst = append(dst, byte('0'+n/powers[i]%10))
		}
		return dst
	}), true
}

// readAmount reads big-endian two's complement, as decimals are stored.
func readAmount(t *rowshape.Type, b []byte) (amount, bool) {
	for len(b) > 8 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	if t.Scale > maxScale || len(b) > 8 {
		return amount{}, false
	}
	var n int64
	if len(b) > 0 {
		n = int64(int8(b[0]))
		for _, c := range b[1:] {
			n = n<<8 | int64(c)
		}
	}
	return amount{n, t.Scale}, true
}

// appendTo adds a in the form of decimal type t; false when it does not fit.
func (a amount) appendTo(dst []byte, t *rowshape.Type) ([]byte, bool) {
	a, ok := a.rescaled(t.Scale)
	if !ok || a.unscaled == math.MinInt64 || t.Precision <= maxScale && max(a.unscaled, -a.unscaled) >= powers[t.Precision] {
		return dst, false
	}
	width := 1
	for width < 8 && a.unscaled>>(8*width-1) != a.unscaled>>63 {
		width++
	}
	if t.Kind == rowshape.Fixed {
		if width > t.Size {
			return dst, false
		}
		width = t.Size
	} else {
		dst = append(dst, byte(2*width)) // zigzag
	}
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, byte(a.unscaled>>(8*i)))
	}
	return dst, true
}
