package avrotext

import (
	"math"
	"strconv"
	"strings"
)

// JSON is v minified, as Jackson writes it.
func (v Value) JSON() string { return string(appendValue(nil, v)) }

// appendValue writes v as Jackson does: minified, raw UTF-8, doubles as Java prints them.
func appendValue(b []byte, v Value) []byte {
	switch v.Kind {
	case True:
		return append(b, "true"...)
	case False:
		return append(b, "false"...)
	case Number:
		return appendNumber(b, v.Text)
	case String:
		return appendString(b, v.Text)
	case Array:
		b = append(b, '[')
		for i, item := range v.Items {
			b = appendValue(comma(b, i), item)
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i, m := range v.Members {
			b = append(appendString(comma(b, i), m.Key), ':')
			b = appendValue(b, m.Value)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

const upperHex = "0123456789ABCDEF"

// appendString quotes s with Jackson's escapes: quote, backslash and control characters only.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= ' ':
			b = append(b, c)
		default:
			b = appendControl(b, c)
		}
	}
	return append(b, '"')
}

func appendControl(b []byte, c byte) []byte {
	if at := strings.IndexByte("\b\t\n\f\r", c); at >= 0 {
		return append(b, '\\', "btnfr"[at])
	}
	return append(b, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&15])
}

// appendNumber keeps an integer's digits and prints anything with a point or an exponent as a Java double.
func appendNumber(b []byte, literal string) []byte {
	if !strings.ContainsAny(literal, ".eE") {
		if literal == "-0" {
			return append(b, '0')
		}
		return append(b, literal...)
	}
	d, _ := strconv.ParseFloat(literal, 64) // out of range gives an infinity, as in Java
	return appendDouble(b, d)
}

// appendDouble prints d as java.lang.Double.toString of JDK 19 and later: the shortest digits that read back as d, plain
// between 1e-3 and 1e7, else with an exponent. What is not finite is quoted.
func appendDouble(b []byte, d float64) []byte {
	switch {
	case math.IsNaN(d):
		return append(b, `"NaN"`...)
	case math.IsInf(d, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(d, -1):
		return append(b, `"-Infinity"`...)
	}
	if a := math.Abs(d); a != 0 && (a < 1e-3 || a >= 1e7) {
		return appendExponent(b, d)
	}
	s := strconv.FormatFloat(d, 'f', -1, 64)
	b = append(b, s...)
	if !strings.Contains(s, ".") {
		b = append(b, ".0"...)
	}
	return b
}

func appendExponent(b []byte, d float64) []byte {
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(d, 'e', -1, 64), "e")
	b = append(b, digits...)
	if !strings.Contains(digits, ".") {
		b = append(b, ".0"...)
	}
	n, _ := strconv.Atoi(exponent)
	return strconv.AppendInt(append(b, 'E'), int64(n), 10)
}
