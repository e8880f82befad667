package rowshape

import "fmt"

// AppendDefault adds the Avro form of the field's default to dst. A field without one is ErrUnfit.
func (f *Field) AppendDefault(dst []byte) ([]byte, error) {
	if !f.HasDefault {
		return dst, fmt.Errorf("field %s has no default: %w", f.Name, ErrUnfit)
	}
	return appendPlain(f.Type, dst, f.Default)
}

// appendPlain is Append for values that stand for the physical type, as defaults do: the default of a date is a number of days, that of a
// decimal its bytes.
func appendPlain(t *Type, dst []byte, v any) ([]byte, error) {
	plain := physical(t, map[*Type]*Type{})
	return plain.Append(dst, v)
}

// physical is t with every logical type taken out.
func physical(t *Type, seen map[*Type]*Type) *Type {
	if t == nil {
		return nil
	}
	if done, ok := seen[t]; ok {
		return done
	}
	plain := *t
	plain.Logical = ""
	seen[t] = &plain
	plain.Items = physical(t.Items, seen)
	plain.Fields = append([]Field(nil), t.Fields...)
	for i := range plain.Fields {
		plain.Fields[i].Type = physical(t.Fields[i].Type, seen)
	}
	plain.Branches = append([]*Type(nil), t.Branches...)
	for i := range plain.Branches {
		plain.Branches[i] = physical(t.Branches[i], seen)
	}
	return &plain
}
