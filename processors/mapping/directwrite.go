package mapping

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"stripeline/schemas/rowshape"
)

// directWriter writes a direct expression's outcome without a box; slow does it whenever something does not come out plainly.
func directWriter(x *expression, f *rowshape.Field, slow writer) writer {
	slot, ok := f.Type.Slot()
	if x.direct == nil || !ok {
		return slow
	}
	write, unread := x.direct.into(slot, branchOf(f.Type)), x.unread()
	if len(unread) > 0 || x.direct.void != nil || x.missing {
		write = x.unlessNull(write, slot, unread)
	}
	return func(dst []byte, s *scratch) ([]byte, error) {
		if out, ok := write(dst, s); ok {
			return out, nil
		}
		if x.nulled(s) {
			if out, ok := slot.AppendNull(dst); ok {
				return out, nil
			}
		}
		return slow(dst, s)
	}
}

// unlessNull puts the value, or null when one of these fields, the expression itself or a lookup says so.
func (x *expression) unlessNull(value put, slot rowshape.Slot, unread []source) put {
	return func(dst []byte, s *scratch) ([]byte, bool) {
		if anyNull(s, unread) {
			return slot.AppendNull(dst)
		}
		s.missed = false
		out, null, ok := x.direct.write(dst, s, value)
		if null || x.missing && s.missed {
			return slot.AppendNull(dst)
		}
		return out, ok
	}
}

// unread are the fields that make the result null though the direct expression may come out without reading them.
func (x *expression) unread() []source {
	return slices.DeleteFunc(slices.Clone(x.strict), func(p source) bool { return len(p.rest) == 0 && slices.Contains(x.direct.reads, p.index) })
}

// put evaluates and adds the outcome to dst; false when either does not work plainly.
type put func(dst []byte, s *scratch) ([]byte, bool)

// write puts the outcome, unless it is null.
func (d *direct) write(dst []byte, s *scratch, value put) (out []byte, null, ok bool) {
	if d.void != nil {
		if null, ok = d.void(s); null || !ok {
			return dst, null && ok, ok
		}
	}
	out, ok = value(dst, s)
	return out, false, ok
}

// branchOf is what stands before a value in a union of it and null, nothing when the type is no union.
func branchOf(t *rowshape.Type) []byte {
	for i, b := range t.Branches {
		if b.Kind != rowshape.Null {
			return binary.AppendVarint(nil, int64(i))
		}
	}
	return nil
}

// into gives the put of d's value into a slot.
func (d *direct) into(slot rowshape.Slot, branch []byte) put {
	t := slot.Type()
	switch {
	case t.Kind == rowshape.Float && (d.whole != nil || d.real != nil):
		return d.intoFloat(branch)
	case d.whole != nil:
		return appending(d.whole, slot.AppendWhole)
	case d.real != nil:
		return appending(d.real, slot.AppendReal)
	case d.truth != nil:
		return appending(d.truth, slot.AppendTruth)
	case d.text != nil:
		return appending(d.text, slot.AppendText)
	case d.moment != nil:
		return appending(d.moment, intoNumber(t, branch, since))
	case d.span != nil:
		return appending(d.span, intoNumber(t, branch, ofDay))
	}
	return appending(d.amount, func(dst []byte, a amount) ([]byte, bool) {
		if t.Logical != rowshape.Decimal {
			return dst, false
		}
		return a.appendTo(append(dst, branch...), t)
	})
}

func appending[T any](value eval[T], add func([]byte, T) ([]byte, bool)) put {
	return func(dst []byte, s *scratch) ([]byte, bool) {
		v, ok := value(s)
		if !ok {
			return dst, false
		}
		return add(dst, v)
	}
}

// intoFloat takes what a float can hold; of whole numbers those that are exact as a double.
func (d *direct) intoFloat(branch []byte) put {
	add := func(dst []byte, f float64) ([]byte, bool) {
		short := float32(f)
		return binary.LittleEndian.AppendUint32(append(dst, branch...), math.Float32bits(short)), !math.IsInf(float64(short), 0)
	}
	if d.real != nil {
		return appending(d.real, add)
	}
	return appending(d.whole, func(dst []byte, n int64) ([]byte, bool) {
		if n <= -exactReal || n >= exactReal {
			return dst, false
		}
		return add(dst, float64(n))
	})
}

// intoNumber adds what a logical type counts.
func intoNumber[T any](t *rowshape.Type, branch []byte, count func(t *rowshape.Type, v T) (int64, bool)) func([]byte, T) ([]byte, bool) {
	return func(dst []byte, v T) ([]byte, bool) {
		n, ok := count(t, v)
		if !ok || t.Kind == rowshape.Int && n != int64(int32(n)) {
			return dst, false
		}
		return binary.AppendVarint(append(dst, branch...), n), true
	}
}

// since is a moment in the unit of t; a finer part is cut off.
func since(t *rowshape.Type, x time.Time) (int64, bool) {
	switch t.Logical {
	case rowshape.Date:
		const day = 24 * 60 * 60
		seconds := x.Unix()
		return (seconds - (seconds%day+day)%day) / day, true
	case rowshape.TimestampMillis, rowshape.LocalTimestampMillis:
		return x.UnixMilli(), inRange(x)
	case rowshape.TimestampMicros, rowshape.LocalTimestampMicros:
		return x.UnixMicro(), inRange(x)
	case rowshape.TimestampNanos, rowshape.LocalTimestampNanos:
		return x.UnixNano(), x.Equal(time.Unix(0, x.UnixNano()))
	}
	return 0, false
}

// ofDay is a time of day in the unit of t.
func ofDay(t *rowshape.Type, d time.Duration) (int64, bool) {
	unit, ok := spanUnits[t.Logical]
	if !ok || d < 0 || d >= 24*time.Hour {
		return 0, false
	}
	return int64(d / unit), true
}

// nulled says whether a field is null that makes the whole expression null.
func (x *expression) nulled(s *scratch) bool { return anyNull(s, x.strict) }

func anyNull(s *scratch, fields []source) bool {
	for _, p := range fields {
		if s.nullAt(p) {
			return true
		}
	}
	return false
}

// holds says whether a condition holds; null counts as not.
func (x *expression) holds(s *scratch) (bool, error) {
	if d := x.direct; d != nil && d.truth != nil && !x.nulled(s) {
		s.missed = false
		yes, ok := d.truth(s)
		if x.missing && s.missed {
			return false, nil
		}
		if ok {
			return yes, nil
		}
	}
	v, err := x.evaluate(s)
	return v == true, err
}
