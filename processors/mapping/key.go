package mapping

import (
	"errors"
	"fmt"
	"strconv"
)

var errKeyType = errors.New("a key is a text, bytes, a whole number or a boolean")

// keyer gives the outcome as a record's key, nil for null.
type keyer func(*scratch) ([]byte, error)

// keyer evaluates without CEL what comes out so.
func (x *expression) keyer() keyer {
	if x.direct == nil {
		return x.boxedKey
	}
	write := x.direct.intoKey()
	return func(s *scratch) ([]byte, error) {
		if x.nulled(s) {
			return nil, nil
		}
		s.missed = false
		key, null, ok := x.direct.write(nil, s, write)
		if null || x.missing && s.missed {
			return nil, nil
		}
		if ok {
			return key, nil
		}
		return x.boxedKey(s)
	}
}

// intoKey gives the put of d's value as keys are written; each is memory of its own.
func (d *direct) intoKey() put {
	switch {
	case d.text != nil:
		return appending(d.text, func(_, v []byte) ([]byte, bool) { return append([]byte{}, v...), true })
	case d.whole != nil:
		return appending(d.whole, func(_ []byte, v int64) ([]byte, bool) { return strconv.AppendInt(nil, v, 10), true })
	case d.truth != nil:
		return appending(d.truth, func(_ []byte, v bool) ([]byte, bool) { return strconv.AppendBool(nil, v), true })
	}
	return func(dst []byte, _ *scratch) ([]byte, bool) { return dst, false }
}

func (x *expression) boxedKey(s *scratch) ([]byte, error) {
	v, err := x.evaluate(s)
	if err != nil {
		return nil, fieldReject("key", err)
	}
	switch x := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(x), nil
	case []byte:
		return append([]byte{}, x...), nil
	case int64:
		return strconv.AppendInt(nil, x, 10), nil
	case bool:
		return strconv.AppendBool(nil, x), nil
	}
	return nil, fieldReject("key", fmt.Errorf("%T: %w", v, errKeyType))
}
