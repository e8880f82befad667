package mapping

import (
	"cel.dev/cel-go/cel"

	"stripeline/schemas/rowshape"
)

// scratch is one record while it is mapped: where its fields lie, and what CEL has decoded of them. It is CEL's activation too.
type scratch struct {
	shape   *rowshape.Shape
	payload []byte
	offsets []int
	values  []any
	decoded []bool
	lookups []*Lookup
	missed  bool // the expression at hand met a key that is not there, or a null in a value that is
}

func newScratch(shape *rowshape.Shape, lookups []*Lookup) *scratch {
	n := len(shape.Fields)
	return &scratch{shape: shape, offsets: make([]int, 0, n+1), values: make([]any, n), decoded: make([]bool, n), lookups: lookups}
}

// load begins another record; payload is kept until release.
func (s *scratch) load(payload []byte) (err error) {
	s.payload = payload
	s.offsets, err = s.shape.Offsets(s.offsets[:0], payload)
	return err
}

// release lets go of the record.
func (s *scratch) release() {
	s.payload = nil
	clear(s.values)
	clear(s.decoded)
}

func (s *scratch) bytes(i int) []byte { return s.payload[s.offsets[i]:s.offsets[i+1]] }

func (s *scratch) null(i int) bool { return s.shape.Fields[i].Type.IsNull(s.bytes(i)) }

// value decodes field i once.
func (s *scratch) value(i int) (any, error) {
	if s.decoded[i] {
		return s.values[i], nil
	}
	v, err := s.shape.Fields[i].Type.Value(s.bytes(i))
	if err != nil {
		return nil, err
	}
	s.values[i], s.decoded[i] = v, true
	return v, nil
}

// nullAt says whether a field on the path is null.
func (s *scratch) nullAt(p path) bool {
	i := s.shape.Index(p[0])
	if len(p) == 1 || s.null(i) {
		return s.null(i)
	}
	v, err := s.value(i)
	for _, name := range p[1:] {
		fields, ok := v.(map[string]any)
		if err != nil || !ok {
			return err == nil
		}
		v = fields[name]
	}
	return v == nil
}

// ResolveName gives CEL the variable row, and the lookups.
func (s *scratch) ResolveName(name string) (any, bool) {
	if name == "row" {
		return s, true
	}
	for _, l := range s.lookups {
		if l.Name == name {
			return shelf{emptyMap, l, s}, true
		}
	}
	return nil, false
}

// Parent ends the chain of activations.
func (s *scratch) Parent() cel.Activation { return nil }
