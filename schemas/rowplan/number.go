package rowplan

// exactDigits is how many digits every whole number has that a double holds exactly; powers are the powers of ten that it does.
const exactDigits = 15

var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// plainDouble reads a sign, digits and a point, at most exactDigits digits in all: digits and power of ten are both exact, so that their quotient
// is rounded once and is the double nearest to the text (W. Clinger, "How to Read Floating Point Numbers Accurately"). False for any other text.
func plainDouble(text []byte) (float64, bool) {
	digits := text
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > exactDigits+1 {
		return 0, false
	}
	whole, point := int64(0), -1
	for i, c := range digits {
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c -= '0'; c > 9 {
			return 0, false
		}
		whole = whole*10 + int64(c)
	}
	v := float64(whole)
	switch {
	case point < 0 && len(digits) > exactDigits, len(digits) == 1 && point == 0:
		return 0, false
	case point >= 0:
		v /= powers[len(digits)-1-point]
	}
	if text[0] == '-' {
		v = -v
	}
	return v, true
}
