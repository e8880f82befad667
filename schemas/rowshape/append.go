package rowshape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrUnfit is returned by Append for a value that the type cannot hold: the data is wrong, not the program.
var ErrUnfit = errors.New("value does not fit")

// Append adds the Avro form of v, a value of the Go types that Value gives (and int32, float32), to dst. Numbers are checked for range, a
// decimal is scaled up but never rounded, and a union takes the first branch that fits. On error dst's content is undefined.
func (t *Type) Append(dst []byte, v any) ([]byte, error) {
	switch t.Kind {
	case Null:
		if v == nil {
			return dst, nil
		}
	case Union:
		return appendUnion(t, dst, v)
	case Boolean:
		if flag, ok := v.(bool); ok {
			return appendBool(dst, flag), nil
		}
	case Int, Long:
		return appendWhole(t, dst, v)
	case Float, Double:
		return appendReal(t, dst, v)
	case String, Enum:
		if text, ok := v.(string); ok {
			return appendString(t, dst, text)
		}
	case Bytes, Fixed:
		return appendBytes(t, dst, v)
	case Array, Map, Record:
		return appendHolder(t, dst, v)
	}
	return dst, unfit(t, v)
}

func unfit(t *Type, v any) error {
	return fmt.Errorf("%w: %s is no %s", ErrUnfit, describe(v), t)
}

// describe is a value and its type in words, cut to a length that fits a line.
func describe(v any) string {
	if v == nil {
		return "null"
	}
	text := fmt.Sprint(v)
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "..."
	}
	return fmt.Sprintf("%T %s", v, text)
}

func appendBool(dst []byte, flag bool) []byte {
	if flag {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendUnion(t *Type, dst []byte, v any) ([]byte, error) {
	start := len(dst)
	for i, branch := range t.Branches {
		dst = binary.AppendVarint(dst[:start], int64(i))
		out, err := branch.Append(dst, v)
		if err == nil {
			return out, nil
		}
	}
	return dst[:start], unfit(t, v)
}

// units of the logical types that are a number of something.
var units = map[string]time.Duration{
	TimeMillis: time.Millisecond, TimeMicros: time.Microsecond,
	TimestampMillis: time.Millisecond, TimestampMicros: time.Microsecond, TimestampNanos: time.Nanosecond,
	LocalTimestampMillis: time.Millisecond, LocalTimestampMicros: time.Microsecond, LocalTimestampNanos: time.Nanosecond,
}

func appendWhole(t *Type, dst []byte, v any) ([]byte, error) {
	var n int64
	switch x := v.(type) {
	case int64:
		n = x
	case int32:
		n = int64(x)
	case time.Time:
		var ok bool
		if n, ok = sinceEpoch(t, x); !ok {
			return dst, unfit(t, v)
		}
	case time.Duration:
		if t.Logical != TimeMillis && t.Logical != TimeMicros || x < 0 || x >= 24*time.Hour {
			return dst, unfit(t, v)
		}
		n = int64(x / units[t.Logical])
	default:
		return dst, unfit(t, v)
	}
	if t.Kind == Int && n != int64(int32(n)) {
		return dst, unfit(t, v)
	}
	return binary.AppendVarint(dst, n), nil
}

// sinceEpoch is an instant in the unit of t; a finer part than the unit is cut off, as Avro's own conversions do.
func sinceEpoch(t *Type, x time.Time) (int64, bool) {
	switch t.Logical {
	case Date:
		return floorDiv(x.Unix(), 86400), true
	case TimestampMillis, LocalTimestampMillis:
		return x.UnixMilli(), true
	case TimestampMicros, LocalTimestampMicros:
		return x.UnixMicro(), true
	case TimestampNanos, LocalTimestampNanos:
		return x.UnixNano(), x.Equal(time.Unix(0, x.UnixNano()))
	}
	return 0, false
}

func floorDiv(a, b int64) int64 {
	if q := a / b; a%b >= 0 {
		return q
	}
	return a/b - 1
}

func appendReal(t *Type, dst []byte, v any) ([]byte, error) {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case float32:
		f = float64(x)
	case int64:
		if f = float64(x); int64(f) != x {
			return dst, unfit(t, v)
		}
	default:
		return dst, unfit(t, v)
	}
	if t.Kind == Double {
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
	}
	if math.IsInf(float64(float32(f)), 0) && !math.IsInf(f, 0) {
		return dst, unfit(t, v)
	}
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
}

func appendString(t *Type, dst []byte, text string) ([]byte, error) {
	if t.Kind == Enum {
		i := slices.Index(t.Symbols, text)
		if i < 0 {
			return dst, unfit(t, text)
		}
		return binary.AppendVarint(dst, int64(i)), nil
	}
	if !utf8.ValidString(text) {
		return dst, unfit(t, text)
	}
	return append(binary.AppendVarint(dst, int64(len(text))), text...), nil
}

func appendBytes(t *Type, dst []byte, v any) ([]byte, error) {
	if n, ok := v.(Number); ok && t.Logical == Decimal {
		return appendDecimal(t, dst, n)
	}
	if text, ok := v.(string); ok && t.Logical == UUID {
		return appendUUID(t, dst, text)
	}
	content, ok := v.([]byte)
	if !ok || t.Kind == Fixed && len(content) != t.Size {
		return dst, unfit(t, v)
	}
	if t.Kind == Bytes {
		dst = binary.AppendVarint(dst, int64(len(content)))
	}
	return append(dst, content...), nil
}

func appendUUID(t *Type, dst []byte, text string) ([]byte, error) {
	digits := strings.ReplaceAll(text, "-", "")
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok || len(digits) != 32 || len(text) != 36 {
		return dst, unfit(t, text)
	}
	return append(dst, n.FillBytes(make([]byte, 16))...), nil
}

func appendHolder(t *Type, dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case []any:
		if t.Kind == Array {
			return appendArray(t, dst, x)
		}
	case map[string]any:
		if t.Kind == Map {
			return appendMap(t, dst, x)
		}
		if t.Kind == Record {
			return appendRecord(t, dst, x)
		}
	}
	return dst, unfit(t, v)
}

func appendArray(t *Type, dst []byte, items []any) ([]byte, error) {
	if len(items) > 0 {
		dst = binary.AppendVarint(dst, int64(len(items)))
	}
	var err error
	for _, item := range items {
		if dst, err = t.Items.Append(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func appendMap(t *Type, dst []byte, entries map[string]any) ([]byte, error) {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if len(keys) > 0 {
		dst = binary.AppendVarint(dst, int64(len(keys)))
	}
	var err error
	for _, key := range keys {
		dst = append(binary.AppendVarint(dst, int64(len(key))), key...)
		if dst, err = t.Items.Append(dst, entries[key]); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func appendRecord(t *Type, dst []byte, values map[string]any) ([]byte, error) {
	var err error
	for i := range t.Fields {
		f := &t.Fields[i]
		v, given := values[f.Name]
		if !given && f.HasDefault {
			dst, err = f.AppendDefault(dst)
		} else {
			dst, err = f.Type.Append(dst, v)
		}
		if err != nil {
			return dst, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return dst, nil
}
