package rowshape

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"time"
	"unicode/utf8"
)

// Number is a decimal: Unscaled / 10^Scale.
type Number struct {
	Unscaled *big.Int
	Scale    int
}

// Value decodes the one value of type t that b holds whole. The Go types are:
//
//	null nil · boolean bool · int, long int64 · float, double float64 · string, enum, uuid string · bytes, fixed []byte (aliases b)
//	decimal Number · date, timestamps, local timestamps time.Time in UTC · times of day time.Duration since midnight
//	array []any · map, record map[string]any · union whatever its branch gives
func (t *Type) Value(b []byte) (any, error) {
	v, rest, err := value(t, b, 0)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes behind a %s", ErrMalformed, len(rest), t)
	}
	return v, nil
}

func value(t *Type, b []byte, depth int) (any, []byte, error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, maxDepth)
	}
	switch t.Kind {
	case Null:
		return nil, b, nil
	case Union:
		branch, rest, err := branchOf(t, b)
		if err != nil {
			return nil, nil, err
		}
		return value(branch, rest, depth+1)
	case Record:
		return recordValue(t, b, depth)
	case Array:
		items := []any{}
		rest, err := eachItem(t, b, func(_ string, b []byte) ([]byte, error) {
			item, rest, err := value(t.Items, b, depth+1)
			items = append(items, item)
			return rest, err
		})
		return items, rest, err
	case Map:
		entries := map[string]any{}
		rest, err := eachItem(t, b, func(key string, b []byte) ([]byte, error) {
			item, rest, err := value(t.Items, b, depth+1)
			entries[key] = item
			return rest, err
		})
		return entries, rest, err
	}
	return scalar(t, b)
}

func recordValue(t *Type, b []byte, depth int) (any, []byte, error) {
	fields := make(map[string]any, len(t.Fields))
	for i := range t.Fields {
		v, rest, err := value(t.Fields[i].Type, b, depth+1)
		if err != nil {
			return nil, nil, err
		}
		fields[t.Fields[i].Name] = v
		b = rest
	}
	return fields, b, nil
}

func scalar(t *Type, b []byte) (any, []byte, error) {
	switch t.Kind {
	case Boolean:
		if len(b) < 1 {
			return nil, nil, ErrTruncated
		}
		return b[0] != 0, b[1:], nil
	case Int, Long:
		n, rest, err := long(b)
		if err != nil {
			return nil, nil, err
		}
		return temporal(t, n), rest, nil
	case Enum:
		return enumValue(t, b)
	case Float:
		if len(b) < 4 {
			return nil, nil, ErrTruncated
		}
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), b[4:], nil
	case Double:
		if len(b) < 8 {
			return nil, nil, ErrTruncated
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:], nil
	case Fixed:
		if len(b) < t.Size {
			return nil, nil, ErrTruncated
		}
		return bytesValue(t, b[:t.Size:t.Size]), b[t.Size:], nil
	}
	content, rest, err := block(b)
	if err != nil {
		return nil, nil, err
	}
	if t.Kind == String {
		if !utf8.Valid(content) {
			return nil, nil, fmt.Errorf("%w: string is not UTF-8", ErrMalformed)
		}
		return string(content), rest, nil
	}
	return bytesValue(t, content), rest, nil
}

func enumValue(t *Type, b []byte) (any, []byte, error) {
	n, rest, err := long(b)
	if err != nil {
		return nil, nil, err
	}
	if n < 0 || n >= int64(len(t.Symbols)) {
		return nil, nil, fmt.Errorf("%w: symbol %d of %d", ErrMalformed, n, len(t.Symbols))
	}
	return t.Symbols[n], rest, nil
}

func bytesValue(t *Type, content []byte) any {
	switch t.Logical {
	case Decimal:
		return Number{Unscaled: twosComplement(content), Scale: t.Scale}
	case UUID:
		return fmt.Sprintf("%x-%x-%x-%x-%x", content[:4], content[4:6], content[6:8], content[8:10], content[10:])
	}
	return content
}

// twosComplement reads a big-endian two's-complement number, as decimals are stored.
func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}

func temporal(t *Type, n int64) any {
	switch t.Logical {
	case Date:
		return time.Unix(n*86400, 0).UTC()
	case TimeMillis:
		return time.Duration(n) * time.Millisecond
	case TimeMicros:
		return time.Duration(n) * time.Microsecond
	case TimestampMillis, LocalTimestampMillis:
		return time.UnixMilli(n).UTC()
	case TimestampMicros, LocalTimestampMicros:
		return time.UnixMicro(n).UTC()
	case TimestampNanos, LocalTimestampNanos:
		return time.Unix(0, n).UTC()
	}
	return n
}
