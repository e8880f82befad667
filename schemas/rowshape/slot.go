package rowshape

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Slot reads and writes plain values of one type, or of one type and null, without a box around each: whole numbers, real numbers, truth and
// text, none with a logical type. What it does not take (null, another type, a number out of range) it refuses with false, without saying why;
// Value and Append say.
type Slot struct {
	inner  *Type
	null   int64 // branch of null, -1 when null is no value
	branch int64 // branch of inner, -1 when the type is no union
}

// Slot gives the slot of a type; false when it holds several types.
func (t *Type) Slot() (Slot, bool) {
	if t.Kind != Union {
		return Slot{t, -1, -1}, t.Kind != Null
	}
	if len(t.Branches) != 2 {
		return Slot{}, false
	}
	for i, b := range t.Branches {
		if other := t.Branches[1-i]; b.Kind == Null && other.Kind != Null {
			return Slot{other, int64(i), int64(1 - i)}, true
		}
	}
	return Slot{}, false
}

// Type is what the slot holds beside null.
func (s Slot) Type() *Type { return s.inner }

// open gives the bytes of the value behind the branch's number; false for null.
func (s Slot) open(b []byte) ([]byte, bool) {
	if s.branch < 0 {
		return b, true
	}
	n, rest, err := long(b)
	return rest, err == nil && n == s.branch
}

// Whole reads an int or a long.
func (s Slot) Whole(b []byte) (int64, bool) {
	b, ok := s.open(b)
	if !ok {
		return 0, false
	}
	n, _, err := long(b)
	return n, err == nil
}

// Real reads a float or a double.
func (s Slot) Real(b []byte) (float64, bool) {
	b, ok := s.open(b)
	switch {
	case !ok:
		return 0, false
	case s.inner.Kind == Float && len(b) >= 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case s.inner.Kind == Double && len(b) >= 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// Truth reads a boolean.
func (s Slot) Truth(b []byte) (value, ok bool) {
	b, ok = s.open(b)
	return ok && len(b) > 0 && b[0] != 0, ok && len(b) > 0
}

// Text reads a string; the result aliases b.
func (s Slot) Text(b []byte) ([]byte, bool) {
	b, ok := s.open(b)
	if !ok {
		return nil, false
	}
	text, _, err := block(b)
	return text, err == nil && utf8.Valid(text)
}

// begin adds the branch's number.
func (s Slot) begin(dst []byte) []byte {
	if s.branch < 0 {
		return dst
	}
	return binary.AppendVarint(dst, s.branch)
}

// AppendNull adds null.
func (s Slot) AppendNull(dst []byte) ([]byte, bool) {
	if s.null < 0 {
		return dst, false
	}
	return binary.AppendVarint(dst, s.null), true
}

// AppendWhole adds a whole number to an int or a long, where it is exact to a double too.
func (s Slot) AppendWhole(dst []byte, n int64) ([]byte, bool) {
	switch {
	case s.inner.Logical != "":
		return dst, false
	case s.inner.Kind == Long, s.inner.Kind == Int && n == int64(int32(n)):
		return binary.AppendVarint(s.begin(dst), n), true
	}
	if f := float64(n); f < math.MaxInt64 && n == int64(f) {
		return s.AppendReal(dst, f)
	}
	return dst, false
}

// AppendReal adds a number to a double.
func (s Slot) AppendReal(dst []byte, f float64) ([]byte, bool) {
	if s.inner.Kind != Double {
		return dst, false
	}
	return binary.LittleEndian.AppendUint64(s.begin(dst), math.Float64bits(f)), true
}

// AppendTruth adds a boolean.
func (s Slot) AppendTruth(dst []byte, v bool) ([]byte, bool) {
	if s.inner.Kind != Boolean {
		return dst, false
	}
	return appendBool(s.begin(dst), v), true
}

// AppendText adds valid UTF-8 to a string, or the number of the symbol that it is to an enum.
func (s Slot) AppendText(dst, text []byte) ([]byte, bool) {
	switch s.inner.Kind {
	case String:
		dst = binary.AppendVarint(s.begin(dst), int64(len(text)))
		return append(dst, text...), true
	case Enum:
		for i, symbol := range s.inner.Symbols {
			if symbol == string(text) {
				return binary.AppendVarint(s.begin(dst), int64(i)), true
			}
		}
	}
	return dst, false
}
