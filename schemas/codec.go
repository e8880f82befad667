package schemas

import (
	"embed"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/avro"
)

//go:embed avsc/*.avsc
var avsc embed.FS

// ErrUnknownSchema is the code of the Reject for a value under a schema id that is not the topic's.
var ErrUnknownSchema = errors.New("unknown schema id")

// The topics of the block journey whose values are Avro, without the namespace's prefix.
const (
	TopicPackets  = "packets"
	TopicAcks     = "acks"
	TopicBlocks   = "blocks"
	TopicCommands = "commands"
	TopicFiles    = "files"
	TopicTargets  = "targets"
)

var schemaFiles = map[string]string{
	TopicPackets: "packet", TopicAcks: "ack", TopicBlocks: "block",
	TopicCommands: "command", TopicFiles: "file", TopicTargets: "target",
}

// SchemaTopics lists the topics that have an Avro schema, in the order in which schemas are registered.
func SchemaTopics() []string {
	return []string{TopicPackets, TopicAcks, TopicBlocks, TopicCommands, TopicFiles, TopicTargets}
}

// SchemaText gives the Avro schema of a topic's values, as in avsc/.
func SchemaText(topic string) string {
	b, err := avsc.ReadFile("avsc/" + schemaFiles[topic] + ".avsc")
	if err != nil {
		panic("schemas: internal error: no schema for topic " + topic)
	}
	return string(b)
}

// Codec encodes and decodes one topic's values: byte 0, the schema's id as four bytes big-endian, then Avro.
// It is safe for concurrent use.
type Codec[T any] struct {
	topic  string
	id     uint32
	schema *avro.Schema
}

// Append appends v's value to dst.
func (c *Codec[T]) Append(dst []byte, v *T) ([]byte, error) {
	dst = binary.BigEndian.AppendUint32(append(dst, 0), c.id)
	dst, err := c.schema.AppendEncode(dst, v)
	if err != nil {
		return dst, fmt.Errorf("encode value of %s: %w", c.topic, err)
	}
	return dst, nil
}

// Decode reads a value; slices of the result alias b. What cannot be read is a Reject.
func (c *Codec[T]) Decode(b []byte) (T, error) {
	var v T
	if len(b) < 5 || b[0] != 0 {
		return v, Reject("framing", fmt.Sprintf("value of %s has no five-byte registry header", c.topic))
	}
	if id := binary.BigEndian.Uint32(b[1:]); id != c.id {
		return v, Reject("schema", fmt.Sprintf("%v %d on %s: its schema has id %d", ErrUnknownSchema, id, c.topic, c.id))
	}
	rest, err := c.schema.Decode(b[5:], &v, avro.AliasInput())
	if err != nil {
		return v, Reject("avro", fmt.Sprintf("value of %s: %v", c.topic, err))
	}
	if len(rest) > 0 {
		return v, Reject("avro", fmt.Sprintf("value of %s: %d bytes behind the record", c.topic, len(rest)))
	}
	return v, nil
}

// Codecs are the codecs of all topics of the block journey.
type Codecs struct {
	Packets  *PacketCodec
	Acks     *Codec[Ack]
	Blocks   *Codec[BlockRecord]
	Commands *Codec[Command]
	Files    *Codec[FileRecord]
	Targets  *Codec[Target]
}

// NewCodecs makes the codecs, given the id under which each topic's schema is registered.
func NewCodecs(id func(topic string) uint32) *Codecs {
	return &Codecs{
		Packets:  &PacketCodec{newCodec[Packet](TopicPackets, id)},
		Acks:     newCodec[Ack](TopicAcks, id),
		Blocks:   newCodec[BlockRecord](TopicBlocks, id),
		Commands: newCodec[Command](TopicCommands, id),
		Files:    newCodec[FileRecord](TopicFiles, id),
		Targets:  newCodec[Target](TopicTargets, id),
	}
}

func newCodec[T any](topic string, id func(string) uint32) *Codec[T] {
	return &Codec[T]{topic: topic, id: id(topic), schema: avro.MustParse(SchemaText(topic))}
}
