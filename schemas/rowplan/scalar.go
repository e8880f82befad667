package rowplan

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

func appendString(dst, text []byte) ([]byte, fault) {
	if !utf8.Valid(text) {
		return dst, faultUTF8
	}
	return append(binary.AppendVarint(dst, int64(len(text))), text...), faultNone
}

// appendBoolean takes the spellings that Go's strconv.ParseBool takes.
func appendBoolean(dst, text []byte) ([]byte, fault) {
	switch string(text) {
	case "true", "TRUE", "True", "t", "T", "1":
		return append(dst, 1), faultNone
	case "false", "FALSE", "False", "f", "F", "0":
		return append(dst, 0), faultNone
	}
	return dst, faultType
}

func appendInteger(dst []byte, k kind, text []byte) ([]byte, fault) {
	if v, ok := fewDigits(text); ok {
		if v < 64 {
			return append(dst, byte(v<<1)), faultNone // zigzag, below 128
		}
		return binary.AppendUvarint(dst, v<<1), faultNone
	}
	v, f := parseInteger(text)
	if f != faultNone {
		return dst, f
	}
	if k == kindInt && int64(int32(v)) != v {
		return dst, faultRange
	}
	return binary.AppendVarint(dst, v), faultNone
}

// fewDigits reads one to nine decimal digits, as nearly every integer has.
func fewDigits(text []byte) (v uint64, ok bool) {
	if len(text) == 0 || len(text) > 9 {
		return 0, false
	}
	for _, c := range text {
		if c -= '0'; c > 9 {
			return 0, false
		}
		v = v*10 + uint64(c)
	}
	return v, true
}

// parseInteger reads an optional sign and decimal digits.
func parseInteger(text []byte) (int64, fault) {
	digits, negative := text, false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		digits, negative = text[1:], text[0] == '-'
	}
	if len(digits) == 0 {
		return 0, faultType
	}
	var v uint64
	over := false
	for i, c := range digits {
		if c -= '0'; c > 9 {
			return 0, faultType
		}
		if i >= 18 { // fewer digits cannot be too many
			over = over || v > (math.MaxUint64-9)/10
		}
		v = v*10 + uint64(c)
	}
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if over || v > limit {
		return 0, faultRange
	}
	if negative {
		return -int64(v), faultNone
	}
	return int64(v), faultNone
}

func appendFloat(dst []byte, k kind, text []byte) ([]byte, fault) {
	if k == kindDouble {
		if v, ok := plainDouble(text); ok {
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), faultNone
		}
	}
	if !isDecimalText(text) {
		return dst, faultType
	}
	bits := 64
	if k == kindFloat {
		bits = 32
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), bits) // strconv clones what it keeps in an error
	if errors.Is(err, strconv.ErrRange) {
		return dst, faultRange
	}
	if err != nil {
		return dst, faultType
	}
	if k == kindFloat {
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v))), faultNone
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), faultNone
}

// isDecimalText leaves out what Go's own syntax would take besides: hexadecimal and underscores.
func isDecimalText(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+':
		case (c == 'e' || c == 'E') && i > 0:
		default:
			return isSpecialFloat(text)
		}
	}
	return true
}

func isSpecialFloat(text []byte) bool {
	if text[0] == '-' || text[0] == '+' {
		text = text[1:]
	}
	switch string(text) {
	case "NaN", "nan", "NAN", "Inf", "inf", "INF", "Infinity", "infinity", "INFINITY":
		return true
	}
	return false
}

func appendEnum(dst []byte, n *node, text []byte) ([]byte, fault) {
	for i, symbol := range n.symbols {
		if symbol == string(text) {
			return binary.AppendVarint(dst, int64(i)), faultNone
		}
	}
	return dst, faultSymbol
}

func appendFixed(dst []byte, n *node, text []byte) ([]byte, fault) {
	if len(text) == n.size {
		return append(dst, text...), faultNone
	}
	if len(text) != 2*n.size {
		return dst, faultSize
	}
	out, err := hex.AppendDecode(dst, text)
	if err != nil {
		return dst, faultType
	}
	return out, faultNone
}

// appendUUID takes RFC 4122's text form; a string keeps it as it is, a fixed holds its 16 bytes.
func appendUUID(dst []byte, n *node, text []byte) ([]byte, fault) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return dst, faultType
	}
	var id [16]byte
	at := id[:0]
	for _, part := range [5][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}} {
		var err error
		if at, err = hex.AppendDecode(at, text[part[0]:part[1]]); err != nil {
			return dst, faultType
		}
	}
	if n.kind == kindUUIDString {
		return append(binary.AppendVarint(dst, 36), text...), faultNone
	}
	return append(dst, id[:]...), faultNone
}
