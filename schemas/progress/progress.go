// Package progress is in the schemas room: what the compacted topic <namespace>.progress says of each run of rows, so that a run can be resumed.
//
//	key    the run's key as text: topic / head or name / subject
//	         head   SHA-256 of the first 64 KiB of the text after decompression, or of all of it when it is shorter, as 64 hex digits
//	         name   "name:" and the name that a person gave, with every byte of it but A-Z a-z 0-9 - _ . ~ as % and two hex digits
//	value  byte 0, schema id as four bytes big-endian, then Avro: progress.avsc
package progress

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/twmb/avro"

	"stripeline/schemas"
)

// Topic is the name of the topic, without the namespace's prefix.
const Topic = "progress"

// HeadSize is how many bytes of a text name its run.
const HeadSize = 64 << 10

//go:embed progress.avsc
var schemaText string

// SchemaText gives the Avro schema of the topic's values.
func SchemaText() string { return schemaText }

// State is where a run stands.
type State string

// The states of a run. One that was killed stays Running.
const (
	Running  State = "RUNNING"
	Stopped  State = "STOPPED"
	Finished State = "FINISHED"
)

// Run is how far a run has come. Offset, Line, Row and Sum are one place in the text; everything before it is confirmed.
type Run struct {
	Topic       string `avro:"topic" json:"topic"`
	Subject     string `avro:"subject" json:"subject"`
	Name        string `avro:"name" json:"name,omitempty"`
	Head        []byte `avro:"head" json:"head,omitempty"`
	HeadLength  int32  `avro:"headLength" json:"head_length,omitempty"`
	File        string `avro:"file" json:"file"`
	State       State  `avro:"state" json:"state"`
	Reason      string `avro:"reason" json:"reason,omitempty"`
	Offset      int64  `avro:"offset" json:"offset"`
	Line        int64  `avro:"line" json:"line"`
	Row         int64  `avro:"row" json:"row"`
	Sum         uint32 `avro:"crc" json:"crc"`
	Acked       int64  `avro:"acked" json:"acked"`
	Rejects     int64  `avro:"rejects" json:"rejects"`
	Attempt     int32  `avro:"attempt" json:"attempt"`
	ExactlyOnce bool   `avro:"exactlyOnce" json:"exactly_once"`
	Started     int64  `avro:"started" json:"started_ms"` // milliseconds since 1970
	Time        int64  `avro:"time" json:"time_ms"`       // milliseconds since 1970
}

// Begin gives the run of a text that begins with head, of which only HeadSize bytes count, or of a person's name when that is not empty.
func Begin(topic, subject, name string, head []byte) Run {
	r := Run{Topic: topic, Subject: subject, Name: name, Attempt: 1}
	if name == "" {
		head = head[:min(len(head), HeadSize)]
		sum := sha256.Sum256(head)
		r.Head, r.HeadLength = sum[:], int32(len(head))
	}
	return r
}

// Key names the run. Different runs have different keys, as neither topic nor the middle part holds a slash.
func (r *Run) Key() string {
	middle := hex.EncodeToString(r.Head)
	if r.Name != "" {
		middle = "name:" + strings.ReplaceAll(url.QueryEscape(r.Name), "+", "%20")
	}
	return r.Topic + "/" + middle + "/" + r.Subject
}

// Began says whether a text that begins with head may be this run's text, which has grown since: the run's head was the whole text, and head begins
// with it. The empty text and one that is not longer have not grown.
func (r *Run) Began(head []byte) bool {
	n := int(r.HeadLength)
	if n == 0 || n >= HeadSize || n >= len(head) || r.Name != "" {
		return false
	}
	sum := sha256.Sum256(head[:n])
	return string(sum[:]) == string(r.Head)
}

// Codec reads and writes the topic's values. It is safe for concurrent use.
type Codec struct {
	id     uint32
	schema *avro.Schema
}

// NewCodec makes a codec, given the id under which SchemaText is registered.
func NewCodec(id uint32) *Codec { return &Codec{id: id, schema: avro.MustParse(schemaText)} }

// Append appends the value of a run to dst.
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
	if id := binary.BigEndian.Uint32(value[1:]); id != c.id {
		return r, schemas.Reject("schema", fmt.Sprintf("progress record has schema id %d, known is %d", id, c.id))
	}
	rest, err := c.schema.Decode(value[5:], &r)
	if err != nil || len(rest) > 0 {
		return r, schemas.Reject("avro", fmt.Sprintf("progress record: %v, %d bytes behind it", err, len(rest)))
	}
	return r, nil
}
