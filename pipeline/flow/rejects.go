package flow

import (
	"context"
	"strconv"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// Headers of a reject, behind those of the original record. Numbers are decimal text. The Kafka Connect names beside them
// say the same to tools that know those.
const (
	HeaderCode      = "code"
	HeaderMessage   = "message"
	HeaderLink      = "link"
	HeaderTopic     = "topic"
	HeaderPartition = "partition"
	HeaderOffset    = "offset"

	connectTopic     = "__connect.errors.topic"
	connectPartition = "__connect.errors.partition"
	connectOffset    = "__connect.errors.offset"
	connectName      = "__connect.errors.connector.name"
	connectMessage   = "__connect.errors.exception.message"
)

// RejectsTopic gives the name of the topic that keeps the rejects of another.
func RejectsTopic(topic string) string { return topic + ".rejects" }

// RejectRecord gives the record that files r: key, value and headers as they are, for the partition that r came from, with
// the reason in further headers.
func RejectRecord(link string, r *kafka.Record, why *schemas.Rejection) *kafka.Record {
	partition, offset := strconv.Itoa(int(r.Partition)), strconv.FormatInt(r.Offset, 10)
	facts := [][2]string{
		{HeaderCode, why.Code}, {HeaderMessage, why.Message}, {HeaderLink, link},
		{HeaderTopic, r.Topic}, {HeaderPartition, partition}, {HeaderOffset, offset},
		{connectTopic, r.Topic}, {connectPartition, partition}, {connectOffset, offset},
		{connectName, link}, {connectMessage, why.Message},
	}
	headers := make([]kafka.Header, 0, len(r.Headers)+len(facts)+len(why.Headers))
	headers = append(headers, r.Headers...)
	for _, f := range facts {
		headers = append(headers, kafka.Header{Key: f[0], Value: []byte(f[1])})
	}
	for _, h := range why.Headers {
		headers = append(headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return &kafka.Record{Topic: RejectsTopic(r.Topic), Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: headers}
}

// RejectRoom is how many bytes a reject's record may be larger than the records of its topic, for the reason in its headers.
const RejectRoom = 64 << 10

// EnsureRejects makes the rejects topic of a topic if there is none: as many partitions, kept for ever, with room for whole rows and for the reasons.
// Whoever comes first makes it, so there is one rule for all. It gives what the topic is.
func EnsureRejects(ctx context.Context, c *kafka.Cluster, topic string) (kafka.TopicInfo, error) {
	name := RejectsTopic(topic)
	if existing, err := c.Identify(ctx, name); err == nil {
		return existing, nil
	}
	info, err := c.Identify(ctx, topic)
	if err != nil {
		return info, err
	}
	info.MaxMessageBytes = max(info.MaxMessageBytes, 1<<20) + 2*RejectRoom
	return info, c.Ensure(ctx, kafka.Topic{Name: name, Partitions: int32(info.Partitions), Configs: map[string]string{
		kafka.CleanupPolicy:   "delete",
		kafka.RetentionMS:     "-1",
		kafka.MaxMessageBytes: strconv.Itoa(info.MaxMessageBytes),
	}})
}

// batchFor gives the batch limits of a producer whose rejects may be larger than a stock broker's records.
func batchFor(rejects string, limit int, others int32) func(string) int32 {
	return func(topic string) int32 {
		if topic == rejects {
			return int32(limit)
		}
		return others
	}
}
