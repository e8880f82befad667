package progress

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/avro"

	"stripeline/schemas"
)

// framed is one schema with its id: byte 0, the id as four bytes big-endian, then Avro.
type framed struct {
	id     uint32 // 0: for reading alone, whatever the id
	schema *avro.Schema
}

// append appends v, of which the key tells in an error.
func (f *framed) append(dst []byte, key string, v any) ([]byte, error) {
	dst = binary.BigEndian.AppendUint32(append(dst, 0), f.id)
	dst, err := f.schema.AppendEncode(dst, v)
	if err != nil {
		return dst, fmt.Errorf("encode progress of %s: %w", key, err)
	}
	return dst, nil
}

// decode reads a value to v, a pointer.
func (f *framed) decode(value []byte, v any) error {
	if len(value) < 5 || value[0] != 0 {
		return schemas.Reject("framing", "progress record has no five-byte registry header")
	}
	if id := binary.BigEndian.Uint32(value[1:]); f.id != 0 && id != f.id {
		return schemas.Reject("schema", fmt.Sprintf("progress record has schema id %d, known is %d", id, f.id))
	}
	rest, err := f.schema.Decode(value[5:], v)
	if err != nil || len(rest) > 0 {
		return schemas.Reject("avro", fmt.Sprintf("progress record: %v, %d bytes behind it", err, len(rest)))
	}
	return nil
}

// Codec reads and writes the values under runs' keys. It is safe for concurrent use.
type Codec struct{ framed }

// NewCodec makes a codec, given the id under which SchemaText is registered; 0 is for reading alone, whatever the id.
func NewCodec(id uint32) *Codec { return &Codec{framed{id, avro.MustParse(schemaText)}} }

// Append appends a value to dst.
func (c *Codec) Append(dst []byte, r *Run) ([]byte, error) { return c.append(dst, r.Key(), r) }

// Decode reads a value; the result shares no bytes with it. What cannot be read is a Reject.
func (c *Codec) Decode(value []byte) (Run, error) {
	var r Run
	err := c.decode(value, &r)
	return r, err
}
