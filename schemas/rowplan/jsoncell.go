package rowplan

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

func (r *reading) appendJSONCell(dst []byte, n *node, text []byte) ([]byte, fault) {
	if !utf8.Valid(text) {
		return dst, faultUTF8
	}
	v, ok := parseJSONCell(text)
	if !ok {
		return dst, faultJSON
	}
	return r.appendJSONValue(dst, n, v)
}

// appendJSONValue writes a value of a JSON cell as type n.
func (r *reading) appendJSONValue(dst []byte, n *node, v jsonValue) ([]byte, fault) {
	switch n.kind {
	case kindUnion:
		return r.appendJSONUnion(dst, n, v)
	case kindNull:
		if !v.null {
			return dst, faultJSON
		}
		return dst, faultNone
	case kindArray:
		if v.delim != '[' {
			return dst, faultJSON
		}
		return r.appendJSONItems(dst, n, v)
	case kindMap:
		if v.delim != '{' {
			return dst, faultJSON
		}
		return r.appendJSONItems(dst, n, v)
	case kindRecord:
		if v.delim != '{' {
			return dst, faultJSON
		}
		return r.appendJSONRecord(dst, n, v)
	}
	return r.appendJSONScalar(dst, n, v)
}

// appendJSONScalar reads strings and numbers as cells are read; what is text in Avro must be a JSON string.
func (r *reading) appendJSONScalar(dst []byte, n *node, v jsonValue) ([]byte, fault) {
	if v.null {
		return dst, faultNull
	}
	text := []byte(v.text)
	switch wire := wireKind(n.kind); {
	case v.delim != 0:
		return dst, faultJSON
	case !v.quote && (wire == kindString || wire == kindEnum || n.kind == kindBytes || n.kind == kindFixed):
		return dst, faultJSON
	case n.kind == kindBytes || n.kind == kindFixed:
		points, ok := codePoints(v.text)
		if !ok {
			return dst, faultJSON
		}
		text = points
	}
	return r.appendText(dst, n, text)
}

// codePoints gives the bytes that text stands for in Avro's JSON: one code point up to 255 for each.
func codePoints(text string) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for _, point := range text {
		if point > 255 {
			return nil, false
		}
		out = append(out, byte(point))
	}
	return out, true
}

func (r *reading) appendJSONUnion(dst []byte, n *node, v jsonValue) ([]byte, fault) {
	if v.null {
		if n.nullAt < 0 {
			return dst, faultNull
		}
		return binary.AppendVarint(dst, int64(n.nullAt)), faultNone
	}
	first := faultNone
	for _, natural := range []bool{true, false} { // "12" is rather a string than a number, though a number would take it
		for _, i := range n.trial {
			if isNatural(n.branches[i].kind, v) != natural {
				continue
			}
			out, f := r.appendJSONValue(binary.AppendVarint(dst, int64(i)), n.branches[i], v)
			if f == faultNone {
				return out, faultNone
			}
			if first == faultNone {
				first = f
			}
		}
	}
	if len(n.trial) == 1 {
		return dst, first
	}
	return dst, faultJSON
}

// isNatural says whether v is what AppendJSON writes for type k.
func isNatural(k kind, v jsonValue) bool {
	switch k {
	case kindBoolean, kindInt, kindLong, kindFloat, kindDouble, kindDecimalBytes, kindDecimalFixed:
		return !v.quote
	case kindArray, kindMap, kindRecord:
		return v.delim != 0
	}
	return v.quote
}

// appendJSONItems writes an array or map as one block.
func (r *reading) appendJSONItems(dst []byte, n *node, v jsonValue) ([]byte, fault) {
	if len(v.items) > 0 {
		dst = binary.AppendVarint(dst, int64(len(v.items)))
	}
	seen := map[string]bool{}
	for i, item := range v.items {
		if n.kind == kindMap {
			if seen[v.keys[i]] {
				return dst, faultJSON
			}
			seen[v.keys[i]] = true
			dst = append(binary.AppendVarint(dst, int64(len(v.keys[i]))), v.keys[i]...)
		}
		var f fault
		if dst, f = r.appendJSONValue(dst, n.item, item); f != faultNone {
			return dst, f
		}
	}
	return append(dst, 0), faultNone
}

func (r *reading) appendJSONRecord(dst []byte, n *node, v jsonValue) ([]byte, fault) {
	used := 0
	for i := range n.fields {
		f := &n.fields[i]
		at, doubled := f.member(v.keys)
		if doubled {
			return dst, faultMember
		}
		if at < 0 {
			if f.fallback == nil {
				return dst, faultMember
			}
			dst = append(dst, f.fallback...)
			continue
		}
		used++
		var fl fault
		if dst, fl = r.appendJSONValue(dst, f.node, v.items[at]); fl != faultNone {
			return dst, fl
		}
	}
	if used < len(v.keys) && !r.ignoreExtra {
		return dst, faultMember
	}
	return dst, faultNone
}

// member finds the field among keys by name or alias.
func (f *field) member(keys []string) (at int, doubled bool) {
	at = -1
	for i, key := range keys {
		if key == f.name || slices.Contains(f.aliases, key) {
			if at >= 0 {
				return at, true
			}
			at = i
		}
	}
	return at, false
}
