package mapping

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"

	"stripeline/schemas/rowshape"
)

// scratch is one record while it is mapped: where its fields lie, and what CEL has decoded of them. It is CEL's activation too.
type scratch struct {
	shape   *rowshape.Shape
	payload []byte
	offsets []int
	values  []any
	decoded []bool
	boxes   []ref.Val // the same for CEL
	dirty   bool      // something is decoded
	text    []byte    // memory of texts that are put together for this record
	lookups []*Lookup
	missed  bool // the expression at hand met a key that is not there, or a null in a value that is
	names   map[string]string
}

func newScratch(shape *rowshape.Shape, lookups []*Lookup) *scratch {
	n := len(shape.Fields)
	return &scratch{shape: shape, offsets: make([]int, 0, n+1), values: make([]any, n), decoded: make([]bool, n), boxes: make([]ref.Val, n),
		lookups: lookups}
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
	s.text = s.text[:0]
	if s.dirty {
		clear(s.values)
		clear(s.decoded)
		clear(s.boxes)
		s.dirty = false
	}
}

// keep gives what add adds to the memory of this record's texts. Texts given earlier stay as they are: nothing is ever written over.
func (s *scratch) keep(add func(dst []byte) []byte) []byte {
	start := len(s.text)
	s.text = add(s.text)
	return s.text[start:len(s.text):len(s.text)]
}

// maxNames is how many keys of lookups a scratch remembers.
const maxNames = 4096

// name is b as a string, which is made once for the many records that have it.
func (s *scratch) name(b []byte) string {
	if name, ok := s.names[string(b)]; ok {
		return name
	}
	if s.names == nil || len(s.names) == maxNames {
		s.names = map[string]string{}
	}
	name := string(b)
	s.names[name] = name
	return name
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
	s.values[i], s.decoded[i], s.dirty = v, true, true
	return v, nil
}

// source is a path whose first field was looked up.
type source struct {
	index int
	rest  path
}

func sources(shape *rowshape.Shape, paths []path) []source {
	found := make([]source, len(paths))
	for i, p := range paths {
		found[i] = source{shape.Index(p[0]), p[1:]}
	}
	return found
}

// nullAt says whether a field on the path is null.
func (s *scratch) nullAt(p source) bool {
	if s.null(p.index) || len(p.rest) == 0 {
		return s.null(p.index)
	}
	v, err := s.value(p.index)
	for _, name := range p.rest {
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
	name, asked := strings.CutSuffix(name, quietMark)
	for _, l := range s.lookups {
		if l.Name == name {
			return shelf{emptyMap, l, asked, s}, true
		}
	}
	return nil, false
}

// Parent ends the chain of activations.
func (s *scratch) Parent() cel.Activation { return nil }
