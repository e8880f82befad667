package rowshape

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrTruncated is returned for a record that ends before its schema does.
var ErrTruncated = errors.New("record ends too early")

// ErrMalformed is returned for bytes that the schema does not allow.
var ErrMalformed = errors.New("record does not fit its schema")

// maxDepth bounds how deep a recursive record may nest; maxEmptyItems bounds the items of an array whose items take no bytes.
const (
	maxDepth      = 128
	maxEmptyItems = 1 << 16
)

// Offsets appends to dst where each field of payload begins, and where the last one ends: one more than there are fields, so that field i is
// payload[offsets[i]:offsets[i+1]]. Bytes behind the last field are ErrMalformed.
func (s *Shape) Offsets(dst []int, payload []byte) ([]int, error) {
	rest := payload
	for i := range s.Fields {
		dst = append(dst, len(payload)-len(rest))
		if n := shortSize(s.Fields[i].Type, rest); n > 0 {
			rest = rest[n:]
			continue
		}
		var err error
		if rest, err = skip(s.Fields[i].Type, rest, 0); err != nil {
			return dst, fmt.Errorf("read field %s: %w", s.Fields[i].Name, err)
		}
	}
	if len(rest) != 0 {
		return dst, fmt.Errorf("read record: %w: %d bytes behind its last field", ErrMalformed, len(rest))
	}
	return append(dst, len(payload)), nil
}

// shortSize gives the size of one value of type t at the start of b where that is plain to see, as of nearly every field that holds no others: skip
// judges what it gives 0 for.
func shortSize(t *Type, b []byte) int {
	head := 0
	if t.Kind == Union {
		if len(b) == 0 || b[0]&0x81 != 0 || int(b[0]>>1) >= len(t.Branches) {
			return 0
		}
		if t = t.Branches[b[0]>>1]; t.Kind == Null {
			return 1
		}
		head = 1
		b = b[1:]
	}
	size := 0
	switch t.Kind {
	case Int, Long, Enum:
		for size < min(len(b), 4) && b[size] >= 0x80 {
			size++
		}
		if size++; size > 4 {
			return 0
		}
	case Bytes, String:
		if len(b) == 0 || b[0]&0x81 != 0 {
			return 0
		}
		size = 1 + int(b[0]>>1)
	case Double:
		size = 8
	case Float:
		size = 4
	case Boolean:
		size = 1
	}
	if size == 0 || size > len(b) {
		return 0
	}
	return head + size
}

// skip gives what is left of b behind one value of type t.
func skip(t *Type, b []byte, depth int) ([]byte, error) {
	switch t.Kind {
	case Null:
		return b, nil
	case Int, Long, Enum:
		return skipVarint(b)
	case Bytes, String:
		_, rest, err := block(b)
		return rest, err
	case Double:
		return skipBytes(b, 8)
	case Float:
		return skipBytes(b, 4)
	case Boolean:
		return skipBytes(b, 1)
	case Fixed:
		return skipBytes(b, t.Size)
	case Union:
		branch, rest, err := branchOf(t, b)
		if err != nil {
			return nil, err
		}
		return skipInner(branch, rest, depth+1)
	}
	return skipInner(t, b, depth)
}

func skipBytes(b []byte, n int) ([]byte, error) {
	if len(b) < n {
		return nil, ErrTruncated
	}
	return b[n:], nil
}

func skipVarint(b []byte) ([]byte, error) {
	for i, c := range b {
		if c < 0x80 {
			return b[i+1:], nil
		}
		if i == 9 {
			return nil, fmt.Errorf("%w: number over 64 bits", ErrMalformed)
		}
	}
	return nil, ErrTruncated
}

// skipInner is skip for what may hold others.
func skipInner(t *Type, b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, maxDepth)
	}
	switch t.Kind {
	case Record:
		var err error
		for i := range t.Fields {
			if b, err = skip(t.Fields[i].Type, b, depth+1); err != nil {
				return nil, err
			}
		}
		return b, nil
	case Array, Map:
		return eachItem(t, b, func(_ string, item []byte) ([]byte, error) { return skip(t.Items, item, depth+1) })
	}
	return skip(t, b, depth)
}

// eachItem calls item for every item of an array or every value of a map (with its key); item returns what is left behind the value.
func eachItem(t *Type, b []byte, item func(key string, b []byte) ([]byte, error)) ([]byte, error) {
	empty := 0
	for {
		count, rest, err := long(b)
		if err != nil || count == 0 {
			return rest, err
		}
		if count < 0 {
			if _, rest, err = long(rest); err != nil {
				return nil, err
			}
			count = -count
		}
		b = rest
		for ; count > 0; count-- {
			before := len(b)
			var key []byte
			if t.Kind == Map {
				if key, b, err = block(b); err != nil {
					return nil, err
				}
			}
			if b, err = item(string(key), b); err != nil {
				return nil, err
			}
			if len(b) == before {
				if empty++; empty > maxEmptyItems {
					return nil, fmt.Errorf("%w: more than %d items without bytes", ErrMalformed, maxEmptyItems)
				}
			}
		}
	}
}

func branchOf(t *Type, b []byte) (*Type, []byte, error) {
	index, rest, err := long(b)
	if err != nil {
		return nil, nil, err
	}
	if index < 0 || index >= int64(len(t.Branches)) {
		return nil, nil, fmt.Errorf("%w: union branch %d of %d", ErrMalformed, index, len(t.Branches))
	}
	return t.Branches[index], rest, nil
}

// long reads one zigzag number.
func long(b []byte) (int64, []byte, error) {
	if len(b) > 0 && b[0] < 0x80 {
		u := uint64(b[0])
		return int64(u>>1) ^ -int64(u&1), b[1:], nil
	}
	v, n := binary.Varint(b)
	if n == 0 {
		return 0, nil, ErrTruncated
	}
	if n < 0 {
		return 0, nil, fmt.Errorf("%w: number over 64 bits", ErrMalformed)
	}
	return v, b[n:], nil
}

// block reads one length and the bytes that it counts.
func block(b []byte) (content, rest []byte, err error) {
	n, rest, err := long(b)
	if err != nil {
		return nil, nil, err
	}
	if n < 0 || n > int64(len(rest)) {
		return nil, nil, fmt.Errorf("%w: %d bytes announced, %d there", ErrTruncated, n, len(rest))
	}
	return rest[:n:n], rest[n:], nil
}

// IsNull says whether the bytes of a field hold null.
func (t *Type) IsNull(b []byte) bool {
	if t.Kind == Null {
		return true
	}
	if t.Kind != Union {
		return false
	}
	branch, _, err := branchOf(t, b)
	return err == nil && branch.Kind == Null
}
