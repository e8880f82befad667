package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Ends gives, per partition, the log start and the last stable offset: the end of what a read-committed reader can see.
func (c *Cluster) Ends(ctx context.Context, topic string) (starts, ends []int64, err error) {
	listed, err := c.admin.ListStartOffsets(fresh(ctx), topic)
	if starts, err = flatten(listed, topic, err); err != nil {
		return nil, nil, err
	}
	ends, err = c.StableEnds(fresh(ctx), topic)
	return starts, ends, err
}

// StableEnds gives the last stable offset of each partition, from a view of the topic that may be 5 s old.
func (c *Cluster) StableEnds(ctx context.Context, topic string) ([]int64, error) {
	listed, err := c.admin.ListCommittedOffsets(ctx, topic)
	return flatten(listed, topic, err)
}

// OffsetsAt gives, per partition, the first offset whose record is not older than at; the end where there is none.
func (c *Cluster) OffsetsAt(ctx context.Context, topic string, at time.Time) ([]int64, error) {
	listed, err := c.admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topic)
	return flatten(listed, topic, err)
}

func flatten(listed kadm.ListedOffsets, topic string, err error) ([]int64, error) {
	if err != nil {
		return nil, wrap(err, "list offsets of %s", topic)
	}
	offsets := make([]int64, len(listed[topic]))
	for p, o := range listed[topic] {
		switch {
		case o.Err != nil:
			return nil, wrap(o.Err, "list offsets of %s partition %d", topic, p)
		case p < 0 || int(p) >= len(offsets):
			return nil, wrap(ErrUnknownTopic, "list offsets of %s", topic)
		}
		offsets[p] = o.Offset
	}
	if len(offsets) == 0 {
		return nil, wrap(ErrUnknownTopic, "list offsets of %s", topic)
	}
	return offsets, nil
}

// DeleteRecords removes what lies before an offset of a partition.
func (c *Cluster) DeleteRecords(ctx context.Context, topic string, partition int32, before int64) error {
	return c.Truncate(ctx, topic, map[int32]int64{partition: before})
}

// Truncate removes from partitions of a topic what lies before an offset of each.
func (c *Cluster) Truncate(ctx context.Context, topic string, before map[int32]int64) error {
	var offsets kadm.Offsets
	for p, at := range before {
		offsets.AddOffset(topic, p, at, -1)
	}
	answers, err := c.admin.DeleteRecords(ctx, offsets)
	if err == nil {
		err = answers.Error()
	}
	return wrap(err, "delete records of %s", topic)
}

// Mark is a place to go on from: the offset of the next record, and the leader epoch of the last one (-1: unknown).
type Mark struct {
	Offset   int64
	Epoch    int32
	Metadata string
}

// Committed gives what a group has committed on a topic; partitions without a commit are not in the map.
func (c *Cluster) Committed(ctx context.Context, group, topic string) (map[int32]Mark, error) {
	answers, err := c.fetchCommits(ctx, group, topic)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "read commits of group %s", group)
	}
	committed := map[int32]Mark{}
	for p, o := range answers[topic] {
		if o.Err != nil {
			return nil, wrap(o.Err, "read commit of group %s on %s partition %d", group, topic, p)
		}
		if o.At >= 0 {
			committed[p] = Mark{o.At, o.LeaderEpoch, o.Metadata}
		}
	}
	return committed, nil
}

// coordinatorPause is how long a group without a coordinator is left alone: a cluster makes the topic of commits when it is
// first asked for one.
const coordinatorPause = 200 * time.Millisecond

// fetchCommits asks until the group has a coordinator, or ctx ends.
func (c *Cluster) fetchCommits(ctx context.Context, group, topic string) (kadm.OffsetResponses, error) {
	for {
		answers, err := c.admin.FetchOffsetsForTopics(ctx, group, topic)
		if !errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.CoordinatorLoadInProgress) && !errors.Is(err, kerr.NotCoordinator) {
			return answers, err
		}
		select {
		case <-time.After(coordinatorPause):
		case <-ctx.Done():
			return answers, err
		}
	}
}

// SetCommits writes commits for a group that has no members now.
func (c *Cluster) SetCommits(ctx context.Context, group, topic string, commits map[int32]Mark) error {
	offsets := kadm.Offsets{}
	for p, m := range commits {
		offsets.Add(kadm.Offset{Topic: topic, Partition: p, At: m.Offset, LeaderEpoch: m.Epoch, Metadata: m.Metadata})
	}
	return wrap(c.admin.CommitAllOffsets(ctx, group, offsets), "commit for group %s on %s", group, topic)
}

// DeleteGroup forgets a group that has no members now.
func (c *Cluster) DeleteGroup(ctx context.Context, group string) error {
	_, err := c.admin.DeleteGroup(ctx, group)
	return wrap(err, "delete group %s", group)
}

// GroupLag is how far a group is behind.
type GroupLag struct {
	Group      string
	State      string // as the broker calls it: Stable, Empty, Dead, ...
	Members    int
	Partitions []PartitionLag // by topic and partition
}

// Total is the sum over partitions; those that could not be asked count nothing.
func (l GroupLag) Total() int64 {
	var sum int64
	for _, p := range l.Partitions {
		sum += max(0, p.Lag)
	}
	return sum
}

// PartitionLag is how far a group is behind on one partition. Commit is -1 when there is none, Lag is -1 on an error.
type PartitionLag struct {
	Topic       string
	Partition   int32
	Commit, End int64
	Lag         int64
	Member      string // client id of the member that owns the partition, "" for none
}

// Lag says how far a group is behind on every topic that it has commits for or members on.
func (c *Cluster) Lag(ctx context.Context, group string) (GroupLag, error) {
	answers, err := c.admin.Lag(ctx, group)
	if err != nil {
		return GroupLag{}, wrap(err, "read lag of group %s", group)
	}
	d, ok := answers[group]
	if !ok {
		return GroupLag{}, fmt.Errorf("read lag of group %s: not in the answer", group)
	}
	if err := d.Error(); errors.Is(err, kerr.GroupIDNotFound) {
		return GroupLag{Group: group, State: "Dead"}, nil // nobody has ever joined it: older brokers say so by the state alone
	} else if err != nil {
		return GroupLag{}, wrap(err, "read lag of group %s", group)
	}
	lag := GroupLag{Group: group, State: d.State, Members: len(d.Members)}
	for _, p := range d.Lag.Sorted() {
		at := PartitionLag{p.Topic, p.Partition, p.Commit.At, p.End.Offset, p.Lag, ""}
		if p.Member != nil {
			at.Member = p.Member.ClientID
		}
		lag.Partitions = append(lag.Partitions, at)
	}
	return lag, nil
}
