package rowplan

import (
	"math"
	"unicode/utf8"
)

// appendJSON reads one value of type n and writes it as JSON.
func (c *cursor) appendJSON(dst []byte, n *node, depth int) []byte {
	if depth > maxDepth {
		c.fail("value nested too deep")
	}
	if c.err != nil {
		return dst
	}
	switch n.kind {
	case kindNull:
		return append(dst, "null"...)
	case kindUnion:
		if i := c.index(len(n.branches)); i >= 0 {
			return c.appendJSON(dst, n.branches[i], depth+1)
		}
		return dst
	case kindRecord:
		return c.appendJSONMembers(dst, n, depth)
	case kindArray, kindMap:
		return c.appendJSONContainer(dst, n, depth)
	case kindFloat, kindDouble:
		return c.appendJSONFloat(dst, n)
	case kindBoolean, kindInt, kindLong, kindDecimalBytes, kindDecimalFixed:
		return c.appendScalar(dst, n)
	case kindString, kindUUIDString:
		return appendJSONString(dst, c.take(c.long()))
	case kindBytes:
		return appendJSONBytes(dst, c.take(c.long()))
	case kindFixed:
		return appendJSONBytes(dst, c.take(int64(n.size)))
	}
	return append(c.appendScalar(append(dst, '"'), n), '"') // enums, times, uuids: plain ASCII
}

func (c *cursor) appendJSONMembers(dst []byte, n *node, depth int) []byte {
	dst = append(dst, '{')
	for i := range n.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSONString(dst, []byte(n.fields[i].name)), ':')
		dst = c.appendJSON(dst, n.fields[i].node, depth+1)
	}
	return append(dst, '}')
}

func (c *cursor) appendJSONContainer(dst []byte, n *node, depth int) []byte {
	open, end := byte('['), byte(']')
	if n.kind == kindMap {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	first := len(dst)
	c.items(n, func(key []byte) {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		if n.kind == kindMap {
			dst = append(appendJSONString(dst, key), ':')
		}
		dst = c.appendJSON(dst, n.item, depth+1)
	})
	return append(dst, end)
}

// appendJSONFloat writes a number, or as a string what JSON has no number for.
func (c *cursor) appendJSONFloat(dst []byte, n *node) []byte {
	v, bits := 0.0, 64
	if n.kind == kindFloat {
		v, bits = float64(c.float()), 32
	} else {
		v = c.double()
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(appendFloatText(append(dst, '"'), v, bits), '"')
	}
	return appendFloatText(dst, v, bits)
}

const hexLower = "0123456789abcdef"

// appendJSONString writes a string; bytes that are not UTF-8 become U+FFFD.
func appendJSONString(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		b := text[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		if b < ' ' || b == '"' || b == '\\' {
			dst = appendEscaped(append(dst, text[start:i]...), b)
			start = i + 1
		}
		i++
	}
	return append(append(dst, text[start:]...), '"')
}

func appendEscaped(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexLower[b>>4], hexLower[b&15])
}

// appendJSONBytes writes bytes as Avro's JSON does: each as the code point of its number.
func appendJSONBytes(dst, raw []byte) []byte {
	dst = append(dst, '"')
	for _, b := range raw {
		if b < ' ' || b == '"' || b == '\\' || b >= 0x7f {
			dst = appendEscaped(dst, b)
		} else {
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
