package progress

import (
	_ "embed"
	"strings"

	"github.com/twmb/avro"
)

//go:embed transform.avsc
var transformText string

// TransformText gives the Avro schema of the values under transforms' keys.
func TransformText() string { return transformText }

// TransformSubject is the registry subject of TransformText for a topic, named as the TopicRecordName strategy does: the subject <topic>-value is
// that of runs.
func TransformSubject(topic string) string { return topic + "-stripeline.TransformProgress" }

// Transform is how a transform is doing: what no broker knows of it.
type Transform struct {
	Group       string `avro:"group" json:"group"`
	From        string `avro:"from" json:"from"`
	To          string `avro:"to" json:"to"`
	Mapping     string `avro:"mapping" json:"mapping"`
	FromSubject string `avro:"fromSubject" json:"from_subject"`
	FromVersion int32  `avro:"fromVersion" json:"from_version"`
	ToSubject   string `avro:"toSubject" json:"to_subject"`
	ToVersion   int32  `avro:"toVersion" json:"to_version"`
	Unfit       string `avro:"unfit" json:"unfit,omitempty"` // why the mapping does not fit the latest versions: the old plan goes on
	State       State  `avro:"state" json:"state"`
	Reason      string `avro:"reason" json:"reason,omitempty"`
	ExactlyOnce bool   `avro:"exactlyOnce" json:"exactly_once"`
	Started     int64  `avro:"started" json:"started_ms"` // milliseconds since 1970
	Time        int64  `avro:"time" json:"time_ms"`
}

// transforms begins the keys of transforms. No run's key begins so, as no topic's name is empty.
const transforms = "/transform/"

// Key names the transform: its group.
func (t *Transform) Key() string { return transforms + t.Group }

// OfTransform says whether a key of the topic is that of a transform.
func OfTransform(key []byte) bool { return strings.HasPrefix(string(key), transforms) }

// TransformCodec reads and writes the values under transforms' keys. It is safe for concurrent use.
type TransformCodec struct{ framed }

// NewTransformCodec makes a codec, given the id under which TransformText is registered; 0 is for reading alone, whatever the id.
func NewTransformCodec(id uint32) *TransformCodec {
	return &TransformCodec{framed{id, avro.MustParse(transformText)}}
}

// Append appends a value to dst.
func (c *TransformCodec) Append(dst []byte, t *Transform) ([]byte, error) {
	return c.append(dst, t.Key(), t)
}

// Decode reads a value; the result shares no bytes with it. What cannot be read is a Reject.
func (c *TransformCodec) Decode(value []byte) (Transform, error) {
	var t Transform
	err := c.decode(value, &t)
	return t, err
}
