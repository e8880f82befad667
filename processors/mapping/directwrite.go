package mapping

import "stripeline/schemas/rowshape"

// directWriter writes a direct expression's outcome without a box; slow does it whenever something does not come out plainly.
func directWriter(x *expression, f *rowshape.Field, slow writer) writer {
	slot, ok := f.Type.Slot()
	if x.direct == nil || !ok {
		return slow
	}
	write := x.direct.into(slot)
	return func(dst []byte, s *scratch) ([]byte, error) {
		start := len(dst)
		if x.nulled(s) {
			dst, ok := slot.AppendNull(dst)
			if ok {
				return dst, nil
			}
		} else if dst, ok := write(dst, s); ok {
			return dst, nil
		}
		return slow(dst[:start], s)
	}
}

// into gives the function that evaluates and adds the outcome to dst; false when either does not work plainly.
func (d *direct) into(slot rowshape.Slot) func(dst []byte, s *scratch) ([]byte, bool) {
	switch {
	case d.whole != nil:
		return appending(d.whole, slot.AppendWhole)
	case d.real != nil:
		return appending(d.real, slot.AppendReal)
	case d.truth != nil:
		return appending(d.truth, slot.AppendTruth)
	}
	return appending(d.text, slot.AppendText)
}

func appending[T any](value eval[T], add func([]byte, T) ([]byte, bool)) func([]byte, *scratch) ([]byte, bool) {
	return func(dst []byte, s *scratch) ([]byte, bool) {
		v, ok := value(s)
		if !ok {
			return dst, false
		}
		return add(dst, v)
	}
}

// nulled says whether a field is null that makes the whole expression null.
func (x *expression) nulled(s *scratch) bool {
	for _, p := range x.strict {
		if s.nullAt(p) {
			return true
		}
	}
	return false
}

// holds says whether a condition holds; null counts as not.
func (x *expression) holds(s *scratch) (bool, error) {
	if x.direct != nil && x.direct.truth != nil && !x.nulled(s) {
		if yes, ok := x.direct.truth(s); ok {
			return yes, nil
		}
	}
	v, err := x.evaluate(s)
	return v == true, err
}
