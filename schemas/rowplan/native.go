package rowplan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

var errNative = errors.New("value does not fit the type")

// appendNative writes a default as the schema parser gives it: nil, bool, int32, int64, float32, float64, string, []byte, []any, map[string]any.
func appendNative(dst []byte, n *node, value any) ([]byte, error) {
	switch n.kind {
	case kindUnion:
		return appendNativeUnion(dst, n, value)
	case kindRecord:
		return appendNativeRecord(dst, n, value)
	case kindArray, kindMap:
		return appendNativeItems(dst, n, value)
	}
	switch v := value.(type) {
	case nil:
		if n.kind == kindNull {
			return dst, nil
		}
	case bool:
		switch {
		case n.kind == kindBoolean && v:
			return append(dst, 1), nil
		case n.kind == kindBoolean:
			return append(dst, 0), nil
		}
	case int32:
		if wireKind(n.kind) == kindInt {
			return binary.AppendVarint(dst, int64(v)), nil
		}
	case int64:
		if wireKind(n.kind) == kindLong {
			return binary.AppendVarint(dst, v), nil
		}
	case float32:
		if n.kind == kindFloat {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v)), nil
		}
	case float64:
		if n.kind == kindDouble {
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), nil
		}
	default:
		return appendNativeText(dst, n, value)
	}
	return dst, fmt.Errorf("%w: %T is not %s", errNative, value, n.label)
}

func appendNativeText(dst []byte, n *node, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		if wireKind(n.kind) == kindString {
			return append(binary.AppendVarint(dst, int64(len(v))), v...), nil
		}
		if i := slices.Index(n.symbols, v); n.kind == kindEnum && i >= 0 {
			return binary.AppendVarint(dst, int64(i)), nil
		}
	case []byte:
		switch wireKind(n.kind) {
		case kindBytes:
			return append(binary.AppendVarint(dst, int64(len(v))), v...), nil
		case kindFixed:
			if len(v) == n.size {
				return append(dst, v...), nil
			}
		}
	}
	return dst, fmt.Errorf("%w: %T is not %s", errNative, value, n.label)
}

func appendNativeUnion(dst []byte, n *node, value any) ([]byte, error) {
	for i, branch := range n.branches {
		if out, err := appendNative(binary.AppendVarint(dst, int64(i)), branch, value); err == nil {
			return out, nil
		}
	}
	return dst, fmt.Errorf("%w: %T is not %s", errNative, value, n.label)
}

func appendNativeRecord(dst []byte, n *node, value any) ([]byte, error) {
	members, ok := value.(map[string]any)
	if !ok {
		return dst, fmt.Errorf("%w: %T is not %s", errNative, value, n.label)
	}
	for i := range n.fields {
		f := &n.fields[i]
		member, given := members[f.name]
		switch {
		case given:
			var err error
			if dst, err = appendNative(dst, f.node, member); err != nil {
				return dst, err
			}
		case f.fallback != nil:
			dst = append(dst, f.fallback...)
		default:
			return dst, fmt.Errorf("%w: field %s of %s is not given", errNative, f.name, n.name)
		}
	}
	return dst, nil
}

func appendNativeItems(dst []byte, n *node, value any) ([]byte, error) {
	var keys []string
	var items []any
	switch v := value.(type) {
	case []any:
		items = v
	case map[string]any:
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			items = append(items, v[key])
		}
	}
	if items == nil && value == nil || (n.kind == kindMap) != (keys != nil) && len(items) > 0 {
		return dst, fmt.Errorf("%w: %T is not %s", errNative, value, n.label)
	}
	if len(items) > 0 {
		dst = binary.AppendVarint(dst, int64(len(items)))
	}
	for i, item := range items {
		if keys != nil {
			dst = append(binary.AppendVarint(dst, int64(len(keys[i]))), keys[i]...)
		}
		var err error
		if dst, err = appendNative(dst, n.item, item); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

// wireKind gives the plain type that a logical type is written as.
func wireKind(k kind) kind {
	switch k {
	case kindDate, kindTimeMillis:
		return kindInt
	case kindTimeMicros, kindTimestamp, kindLocalTimestamp:
		return kindLong
	case kindUUIDString:
		return kindString
	case kindDecimalBytes:
		return kindBytes
	case kindDecimalFixed, kindUUIDFixed, kindDuration:
		return kindFixed
	}
	return k
}
