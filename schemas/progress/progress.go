// Package progress is in the schemas room: what the compacted topic <namespace>.progress says of each run of rows, so that a run can be resumed, and
// of each transform, so that one can see how it is doing.
//
//	of a run:
//	key    the run's key as text: topic / head or name / subject
//	         head   SHA-256 of the first 64 KiB of the text after decompression, or of all of it when it is shorter, as 64 hex digits
//	         name   "name:" and the name that a person gave, with every byte of it but A-Z a-z 0-9 - _ . ~ as % and two hex digits
//	value  byte 0, schema id as four bytes big-endian, then Avro: progress.avsc
//
//	of a transform:
//	key    /transform/ and its consumer group
//	value  likewise: transform.avsc
package progress

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/url"
	"strings"
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
