package mapping

import (
	"encoding/binary"
	"time"

	"cel.dev/cel-go/common/ast"

	"stripeline/schemas/rowshape"
)

// field translates row.f and has(row.f).
func (t *translator) field(e ast.Expr) *direct {
	p, ok := pathOf(e)
	if !ok || len(p) != 1 || p.looked() {
		return nil
	}
	i := t.shape.Index(p[0])
	if e.AsSelect().IsTestOnly() {
		return made(func(s *scratch) (bool, bool) { return !s.null(i), true })
	}
	return t.fieldAt(i)
}

func (t *translator) fieldAt(i int) *direct {
	d := t.typed(i)
	if d != nil {
		d.reads = []int{i}
	}
	return d
}

// typed reads field i as the type that it has.
func (t *translator) typed(i int) *direct {
	slot, ok := t.shape.Fields[i].Type.Slot()
	if !ok {
		return nil
	}
	switch slot.Type().Logical {
	case rowshape.Decimal:
		return decimalField(i, t.shape.Fields[i].Type, slot.Type())
	case "", rowshape.UUID:
		return plainField(i, slot)
	}
	return temporalField(i, slot)
}

// plainField reads what the slot takes; a uuid that is no string is CEL's.
func plainField(i int, slot rowshape.Slot) *direct {
	switch slot.Type().Kind {
	case rowshape.Int, rowshape.Long:
		return made(func(s *scratch) (int64, bool) { return slot.Whole(s.bytes(i)) })
	case rowshape.Float, rowshape.Double:
		return made(func(s *scratch) (float64, bool) { return slot.Real(s.bytes(i)) })
	case rowshape.Boolean:
		return made(func(s *scratch) (bool, bool) { return slot.Truth(s.bytes(i)) })
	case rowshape.String:
		return made(func(s *scratch) ([]byte, bool) { return slot.Text(s.bytes(i)) })
	case rowshape.Enum:
		return enumField(i, slot)
	}
	return nil
}

func enumField(i int, slot rowshape.Slot) *direct {
	symbols := make([][]byte, len(slot.Type().Symbols))
	for n, symbol := range slot.Type().Symbols {
		symbols[n] = []byte(symbol)
	}
	return made(func(s *scratch) ([]byte, bool) {
		n, ok := slot.Whole(s.bytes(i))
		if !ok || n < 0 || n >= int64(len(symbols)) {
			return nil, false
		}
		return symbols[n], true
	})
}

func temporalField(i int, slot rowshape.Slot) *direct {
	if unit, ok := spanUnits[slot.Type().Logical]; ok {
		return made(func(s *scratch) (time.Duration, bool) {
			n, ok := slot.Whole(s.bytes(i))
			return time.Duration(n) * unit, ok
		})
	}
	at, ok := moments[slot.Type().Logical]
	if !ok {
		return nil
	}
	return made(func(s *scratch) (time.Time, bool) {
		n, ok := slot.Whole(s.bytes(i))
		return at(n).UTC(), ok
	})
}

var spanUnits = map[string]time.Duration{rowshape.TimeMillis: time.Millisecond, rowshape.TimeMicros: time.Microsecond}

// moments are what the numbers of dates and timestamps mean.
var moments = map[string]func(n int64) time.Time{
	rowshape.Date:                 func(n int64) time.Time { return time.Unix(n*86400, 0) },
	rowshape.TimestampMillis:      time.UnixMilli,
	rowshape.LocalTimestampMillis: time.UnixMilli,
	rowshape.TimestampMicros:      time.UnixMicro,
	rowshape.LocalTimestampMicros: time.UnixMicro,
	rowshape.TimestampNanos:       func(n int64) time.Time { return time.Unix(0, n) },
	rowshape.LocalTimestampNanos:  func(n int64) time.Time { return time.Unix(0, n) },
}

func decimalField(i int, field, inner *rowshape.Type) *direct {
	return made(func(s *scratch) (amount, bool) {
		b, ok := content(field, s.bytes(i))
		if !ok {
			return amount{}, false
		}
		return readAmount(inner, b)
	})
}

// content gives the bytes of a fixed or of bytes, which may stand in a union; false for null.
func content(t *rowshape.Type, b []byte) ([]byte, bool) {
	if t.Kind == rowshape.Union {
		n, size := binary.Varint(b)
		if size <= 0 || n < 0 || n >= int64(len(t.Branches)) {
			return nil, false
		}
		t, b = t.Branches[n], b[size:]
	}
	switch t.Kind {
	case rowshape.Fixed:
		return b, len(b) == t.Size
	case rowshape.Bytes:
		n, size := binary.Varint(b)
		return b[max(size, 0):], size > 0 && n == int64(len(b)-size)
	}
	return nil, false
}
