package progress

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/avro"

	"stripeline/schemas"
)

// Codec reads and writes the topic's values. It is safe for concurrent use.
type Codec struct {
	id     uint32
	schema *avro.Schema
}

// NewCodec makes a codec, given the id under which SchemaText is registered; 0 is for reading alone, whatever the id.
func NewCodec(id uint32) *Codec { return &Codec{id, avro.MustParse(schemaText)} }

// Append appends a value to dst.
func (c *Codec) Append(dst []byte, r *Run) ([]byte, error) {
	dst = binary.BigEndian.AppendUint32(append(dst, 0), c.id)
	dst, err := c.schema.AppendEncode(dst, r)
	if err != nil {
		return dst, fmt.Errorf("encode progress of %s: %w", r.Key(), err)
	}
	return dst, nil
}

// Decode reads a value; the result shares no bytes with it. What cannot be read is a Reject.
func (c *Codec) Decode(value []byte) (Run, error) {
	var r Run
	if len(value) < 5 || value[0] != 0 {
		return r, schemas.Reject("framing", "progress record has no five-byte registry header")
	}
	if id := binary.BigEndian.Uint32(value[1:]); c.id != 0 && id != c.id {
		return r, schemas.Reject("schema", fmt.Sprintf("progress record has schema id %d, known is %d", id, c.id))
	}
	rest, err := c.schema.Decode(value[5:], &r)
	if err != nil || len(rest) > 0 {
		return r, schemas.Reject("avro", fmt.Sprintf("progress record: %v, %d bytes behind it", err, len(rest)))
	}
	return r, nil
}
