package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
)

// SchemasTopic is where every schema registry of the Confluent kind keeps its state; the namespace does not prefix it.
const SchemasTopic = "_schemas"

// ensureSchemasTopic makes the topic where it is missing, and refuses with kafka.ErrWrongTopic one that a registry cannot live on.
func ensureSchemasTopic(ctx context.Context, cluster *kafka.Cluster, name string) error {
	info, err := cluster.Identify(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		wanted := kafka.Topic{Name: name, Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "compact"}}
		if err := cluster.Ensure(ctx, wanted); err != nil && !errors.Is(err, kafka.ErrWrongTopic) {
			return err
		}
		info, err = cluster.Identify(ctx, name)
	}
	if err != nil {
		return err
	}
	return habitable(info)
}

func habitable(topic kafka.TopicInfo) error {
	if topic.Partitions != 1 {
		return fmt.Errorf("%w: %s has %d partitions, and the order of schemas needs exactly 1: make a compacted topic with 1 partition, copy the records into it and name it with --topic, or delete %s if it holds nothing",
			kafka.ErrWrongTopic, topic.Name, topic.Partitions, topic.Name)
	}
	if policy := topic.Configs[kafka.CleanupPolicy]; policy != "compact" {
		return fmt.Errorf("%w: %s has cleanup.policy=%s, under which schemas would be lost: run kafka-configs --alter --entity-type topics --entity-name %s --add-config cleanup.policy=compact",
			kafka.ErrWrongTopic, topic.Name, policy, topic.Name)
	}
	return nil
}
