package mapping

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"stripeline/schemas/rowshape"
)

// writer adds one output field to dst, or several.
type writer func(dst []byte, s *scratch) ([]byte, error)

// output is how one field is written: by a writer, or as the bytes of an input field.
type output struct {
	write  writer
	copied int // the input field, when there is no writer
}

// merged makes writers of all outputs. Fields that stand side by side in both schemas are copied in one piece.
func merged(outputs []output) []writer {
	var writers []writer
	for i := 0; i < len(outputs); i++ {
		if outputs[i].write != nil {
			writers = append(writers, outputs[i].write)
			continue
		}
		first := outputs[i].copied
		end := first + 1
		for i+1 < len(outputs) && outputs[i+1].write == nil && outputs[i+1].copied == end {
			i, end = i+1, end+1
		}
		writers = append(writers, func(dst []byte, s *scratch) ([]byte, error) {
			return append(dst, s.payload[s.offsets[first]:s.offsets[end]]...), nil
		})
	}
	return writers
}

// fixed writes the same for every record.
func fixed(content []byte) writer {
	return func(dst []byte, _ *scratch) ([]byte, error) { return append(dst, content...), nil }
}

// output makes the output of one field after checking that x's type fits.
func (c *compiler) output(e entry, x *expression, f *rowshape.Field) output {
	if x.field >= 0 && sameBytes(c.in.Fields[x.field].Type, f.Type) {
		return output{copied: x.field}
	}
	if !fits(x.result, f.Type) {
		c.found(e, fmt.Sprintf("expression gives %s, schema %s wants %s: convert it", typeWords(x.result), c.out.Name, f.Type))
		return output{}
	}
	if _, takesNull := f.Type.Nullable(); x.nullable && !takesNull {
		c.found(e, fmt.Sprintf("expression may be null, schema %s wants %s: test for null, as in 'row.f == null ? ... : row.f'", c.out.Name, f.Type))
		return output{}
	}
	if x.constant {
		content, err := f.Type.Append(nil, x.value)
		if err != nil {
			c.found(e, err.Error())
			return output{}
		}
		return output{write: fixed(content)}
	}
	if w := c.wrapping(x, f); w != nil {
		return output{write: w}
	}
	return output{write: directWriter(x, f, boxedWriter(x, f))}
}

// boxedWriter is for everything that CEL can say.
func boxedWriter(x *expression, f *rowshape.Field) writer {
	slot, plain := f.Type.Slot()
	plain = plain && x.program != nil
	return func(dst []byte, s *scratch) ([]byte, error) {
		var v any
		var err error
		if plain {
			var out ref.Val
			if out, err = x.run(s); err == nil {
				if dst, ok := appendPlain(dst, slot, out); ok {
					return dst, nil
				}
				v, err = native(out)
			}
		} else {
			v, err = x.evaluate(s)
		}
		if err == nil {
			dst, err = f.Type.Append(dst, v)
		}
		if err != nil {
			return dst, fieldReject(f.Name, err)
		}
		return dst, nil
	}
}

// appendPlain adds a CEL value that the slot takes without a box around it.
func appendPlain(dst []byte, slot rowshape.Slot, v ref.Val) (out []byte, ok bool) {
	start := len(dst)
	switch v := v.(type) {
	case types.Int:
		out, ok = slot.AppendWhole(dst, int64(v))
	case types.Double:
		out, ok = slot.AppendReal(dst, float64(v))
	case types.Bool:
		out, ok = slot.AppendTruth(dst, bool(v))
	case types.String:
		if utf8.ValidString(string(v)) {
			out, ok = slot.AppendText(dst, []byte(v))
		}
	}
	if !ok {
		return dst[:start], false
	}
	return out, true
}

// wrapping copies a plain field into a union that has its type as a branch.
func (c *compiler) wrapping(x *expression, f *rowshape.Field) writer {
	if x.field < 0 || f.Type.Kind != rowshape.Union {
		return nil
	}
	for i, branch := range f.Type.Branches {
		if sameBytes(c.in.Fields[x.field].Type, branch) {
			prefix := binary.AppendVarint(nil, int64(i))
			return func(dst []byte, s *scratch) ([]byte, error) {
				return append(append(dst, prefix...), s.bytes(x.field)...), nil
			}
		}
	}
	return nil
}
