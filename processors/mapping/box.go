package mapping

import (
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// boxer makes CEL's values of a field that is read directly, without the Go value between; of none when d is nil.
func boxer(d *direct) func(*scratch) (ref.Val, bool) {
	switch {
	case d == nil:
	case d.whole != nil:
		return boxed(d.whole, func(v int64) ref.Val { return types.Int(v) })
	case d.real != nil:
		return boxed(d.real, func(v float64) ref.Val { return types.Double(v) })
	case d.truth != nil:
		return boxed(d.truth, func(v bool) ref.Val { return types.Bool(v) })
	case d.text != nil:
		return boxed(d.text, func(v []byte) ref.Val { return types.String(v) })
	case d.moment != nil:
		return boxed(d.moment, func(v time.Time) ref.Val { return types.Timestamp{Time: v} })
	case d.span != nil:
		return boxed(d.span, func(v time.Duration) ref.Val { return types.Duration{Duration: v} })
	}
	return func(*scratch) (ref.Val, bool) { return nil, false }
}

func boxed[T any](value eval[T], box func(T) ref.Val) func(*scratch) (ref.Val, bool) {
	return func(s *scratch) (ref.Val, bool) {
		v, ok := value(s)
		if !ok {
			return nil, false
		}
		return box(v), true
	}
}
