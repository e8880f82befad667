package pipeline

import (
	"strconv"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// Shape is how internal topics are made where they do not exist.
type Shape struct {
	Partitions  int32 // of packets, acks, blocks, commands and files alike
	Replication int16
	MaxPacket   int // bytes: max.message.bytes of the packets topic
}

// The links of the write plan; each runs as the consumer group <namespace>.<link>.
const (
	LinkStore     = "store"
	LinkSeal      = "seal"
	LinkNamespace = "namespace"
)

// packetOverhead is what a packet's record has besides its payload, at most: fields, path, metadata, batch.
const packetOverhead = 16 << 10

// Qualify gives the name of an internal topic, group or transactional id in a namespace.
func Qualify(namespace, name string) string { return namespace + "." + name }

// InternalTopics lists the topics of the block journey. Nothing is ever trimmed by time or size: retention is -1, and
// records go when every reader of the plan has passed them.
func InternalTopics(namespace string, shape Shape) []kafka.Topic {
	topic := func(name string, configs map[string]string) kafka.Topic {
		return kafka.Topic{Name: Qualify(namespace, name), Partitions: shape.Partitions, Replication: shape.Replication, Configs: configs}
	}
	kept := func() map[string]string {
		return map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
	}
	compacted := func() map[string]string { return map[string]string{"cleanup.policy": "compact"} }
	packets := kept()
	packets["max.message.bytes"] = strconv.Itoa(shape.MaxPacket)
	commands := kept()
	commands["message.timestamp.type"] = "LogAppendTime" // answers are forgotten by it: no client's clock may decide
	return []kafka.Topic{
		topic(schemas.TopicPackets, packets),
		topic(schemas.TopicPackets+".rejects", kept()),
		topic(schemas.TopicAcks, kept()),
		topic(schemas.TopicAcks+".rejects", kept()),
		topic(schemas.TopicCommands, commands),
		topic(schemas.TopicCommands+".rejects", kept()),
		topic(schemas.TopicBlocks, compacted()),
		topic(schemas.TopicFiles, compacted()),
		topic(schemas.TopicTargets, compacted()),
	}
}
