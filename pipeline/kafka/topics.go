package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Names of the topic configs that Ensure looks at.
const (
	CleanupPolicy   = "cleanup.policy"
	RetentionMS     = "retention.ms"
	MaxMessageBytes = "max.message.bytes"
	MinISR          = "min.insync.replicas"
)

// Topic is what a topic shall be.
type Topic struct {
	Name        string
	Partitions  int32             // 0: the broker's default
	Replication int16             // 0: 3, or the number of brokers if there are fewer
	Configs     map[string]string // as Kafka names them; min.insync.replicas is 2 unless given where Replication is 3 or more
}

// TopicInfo is what a topic is. ID changes when a topic is deleted and made again under the same name.
type TopicInfo struct {
	Name            string
	ID              [16]byte
	Partitions      int
	Replication     int
	MaxMessageBytes int               // the limit of a batch, overhead included
	Configs         map[string]string // all configs that the broker shows
}

// Ensure makes the topics that are missing and checks those that exist: another partition count, cleanup policy,
// retention time or a smaller max.message.bytes than asked for is ErrWrongTopic. Nothing that exists is changed.
func (c *Cluster) Ensure(ctx context.Context, topics ...Topic) error {
	for _, want := range topics {
		if err := c.Create(ctx, want); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			if _, unknown := c.Identify(ctx, want.Name); unknown != nil {
				return err
			} // an administrator made it: who may not create topics is told that, whether the topic is there or not
		}
		info, err := c.awaitTopic(ctx, want.Name)
		if err != nil {
			return err
		}
		if err := want.check(info); err != nil {
			return err
		}
	}
	return nil
}

// Create makes a topic; the error wraps the broker's TOPIC_ALREADY_EXISTS when there is one (see IsExists).
func (c *Cluster) Create(ctx context.Context, topic Topic) error {
	replication := topic.Replication
	if replication == 0 {
		brokers, err := c.Brokers(ctx)
		if err != nil {
			return err
		}
		replication = int16(min(3, brokers))
	}
	partitions := topic.Partitions
	if partitions == 0 {
		partitions = -1
	}
	configs := map[string]*string{}
	if replication >= 3 {
		configs[MinISR] = kadm.StringPtr("2")
	}
	for k, v := range topic.Configs {
		configs[k] = kadm.StringPtr(v)
	}
	if _, err := c.admin.CreateTopic(ctx, partitions, replication, configs, topic.Name); err != nil {
		return wrap(err, "create topic %s", topic.Name)
	}
	return nil
}

// IsExists says whether Create found the topic already there.
func IsExists(err error) bool { return errors.Is(err, kerr.TopicAlreadyExists) }

// awaitTopic waits until a topic that was just made is known to the broker that answers.
func (c *Cluster) awaitTopic(ctx context.Context, name string) (TopicInfo, error) {
	for {
		info, err := c.Identify(ctx, name)
		if err == nil || !errors.Is(err, ErrUnknownTopic) {
			return info, err
		}
		select {
		case <-ctx.Done():
			return TopicInfo{}, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (t Topic) check(is TopicInfo) error {
	if t.Partitions > 0 && int(t.Partitions) != is.Partitions {
		return fmt.Errorf("%w: %s has %d partitions, %d are needed: delete it or use another namespace", ErrWrongTopic, t.Name, is.Partitions, t.Partitions)
	}
	for _, key := range []string{CleanupPolicy, RetentionMS} {
		if want, ok := t.Configs[key]; ok && is.Configs[key] != want {
			return fmt.Errorf("%w: %s has %s=%s, %s is needed: alter that config", ErrWrongTopic, t.Name, key, is.Configs[key], want)
		}
	}
	if want, err := strconv.Atoi(t.Configs[MaxMessageBytes]); err == nil && is.MaxMessageBytes < want {
		return fmt.Errorf("%w: %s has %s=%d, at least %d is needed: alter that config", ErrWrongTopic, t.Name, MaxMessageBytes, is.MaxMessageBytes, want)
	}
	return nil
}

// Identify says what a topic is; ErrUnknownTopic when there is none.
func (c *Cluster) Identify(ctx context.Context, topic string) (TopicInfo, error) {
	details, err := c.details(ctx, topic)
	if err != nil {
		return TopicInfo{}, err
	}
	return c.info(ctx, details[topic])
}

// Identity gives the id and the partition count of a topic: one request, where Identify makes two.
func (c *Cluster) Identity(ctx context.Context, topic string) (id [16]byte, partitions int, err error) {
	details, err := c.details(ctx, topic)
	if err != nil {
		return id, 0, err
	}
	return details[topic].ID, len(details[topic].Partitions), nil
}

// details asks for one topic. Automatic creation is never allowed.
func (c *Cluster) details(ctx context.Context, topic string) (kadm.TopicDetails, error) {
	details, err := c.admin.ListTopics(fresh(ctx), topic)
	if err == nil && !details.Has(topic) {
		err = kerr.UnknownTopicOrPartition
	}
	if err == nil {
		err = details[topic].Err
	}
	return details, wrap(err, "look up topic %s", topic)
}

// fresh makes the client ask the brokers: what it knows of a topic, or that there is none, may be 5 s old, unless the
// answer shall contain what we are allowed to do with it.
func fresh(ctx context.Context) context.Context { return kadm.WithAuthorizedOps(ctx) }

func (c *Cluster) info(ctx context.Context, d kadm.TopicDetail) (TopicInfo, error) {
	info := TopicInfo{Name: d.Topic, ID: d.ID, Partitions: len(d.Partitions), Configs: map[string]string{}}
	for _, p := range d.Partitions {
		info.Replication = max(info.Replication, len(p.Replicas))
	}
	resources, err := c.admin.DescribeTopicConfigs(ctx, d.Topic)
	if err != nil {
		return info, wrap(err, "read configs of %s", d.Topic)
	}
	for _, r := range resources {
		if r.Err != nil {
			return info, wrap(r.Err, "read configs of %s", d.Topic)
		}
		for _, cfg := range r.Configs {
			info.Configs[cfg.Key] = cfg.MaybeValue()
		}
	}
	info.MaxMessageBytes, _ = strconv.Atoi(info.Configs[MaxMessageBytes])
	if info.MaxMessageBytes == 0 {
		info.MaxMessageBytes = 1048588
	}
	return info, nil
}

// Topics lists the names of all topics but the broker's own, sorted.
func (c *Cluster) Topics(ctx context.Context) ([]string, error) {
	details, err := c.admin.ListTopics(fresh(ctx))
	if err != nil {
		return nil, wrap(err, "list topics")
	}
	return slices.Sorted(maps.Keys(details)), nil
}

// PartitionState is one partition as the brokers have it. Offsets are read committed.
type PartitionState struct {
	Partition     int32
	Leader        int32 // -1: none
	Replicas, ISR []int32
	Start, End    int64
}

// Describe gives a topic and the state of its partitions, in order.
func (c *Cluster) Describe(ctx context.Context, topic string) (TopicInfo, []PartitionState, error) {
	details, err := c.details(ctx, topic)
	if err != nil {
		return TopicInfo{}, nil, err
	}
	info, err := c.info(ctx, details[topic])
	if err != nil {
		return info, nil, err
	}
	starts, ends, err := c.Ends(ctx, topic)
	if err != nil {
		return info, nil, err
	}
	states := make([]PartitionState, 0, info.Partitions)
	for i, p := range details[topic].Partitions.Sorted() {
		states = append(states, PartitionState{p.Partition, p.Leader, p.Replicas, p.ISR, starts[i], ends[i]})
	}
	return info, states, nil
}

// Delete removes topics; one that does not exist is ErrUnknownTopic.
func (c *Cluster) Delete(ctx context.Context, topics ...string) error {
	answers, err := c.admin.DeleteTopics(ctx, topics...)
	if err != nil {
		return wrap(err, "delete topics")
	}
	for _, a := range answers.Sorted() {
		if a.Err != nil {
			return wrap(a.Err, "delete topic %s", a.Topic)
		}
	}
	return nil
}

// AddPartitions makes a topic have so many partitions in all. Keys move, and links that run on the topic stop.
func (c *Cluster) AddPartitions(ctx context.Context, topic string, total int) error {
	_, err := c.admin.UpdatePartitions(ctx, total, topic)
	return wrap(err, "add partitions to %s", topic)
}
