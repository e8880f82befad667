package kafka

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// RebalanceTimeout is how long the brokers wait for a member that must give partitions back.
const RebalanceTimeout = 24 * time.Second

// GroupConfig says what a member of a consumer group does. The callbacks are called one at a time and may block for less
// than RebalanceTimeout; none may close the group.
type GroupConfig struct {
	Group string
	Topic string

	Assigned func(ctx context.Context, partitions []int32) // now ours
	Revoked  func(ctx context.Context, partitions []int32) // ours until the return: finish and commit
	Lost     func(ctx context.Context, partitions []int32) // not ours any more: do nothing that anyone could see

	MembershipOnly         bool  // never fetch: the partitions are read by other means
	FetchMaxBytes          int32 // of one broker's answer, 16 MiB when 0
	FetchMaxPartitionBytes int32 // of one partition in it, 4 MiB when 0
	MaxRecords             int   // of one Poll; unbounded when 0
}

// Group is one member of a consumer group on one topic. A partition without a commit begins at the log start; one whose
// commit is out of range stops with a PartitionError. Nothing is committed but by Commit. Poll is for one goroutine.
type Group struct {
	cfg    GroupConfig
	client *kgo.Client
}

// NewGroup joins a group in the background. Between a Poll that gave something and the next Allow no partition is taken
// away or given.
func (c *Cluster) NewGroup(cfg GroupConfig) (*Group, error) {
	g := &Group{cfg: cfg}
	opts := append(fetchOptions(cfg.FetchMaxBytes, cfg.FetchMaxPartitionBytes),
		kgo.ConsumerGroup(cfg.Group),
		kgo.ConsumeTopics(cfg.Topic),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.RebalanceTimeout(RebalanceTimeout),
		kgo.SessionTimeout(c.cfg.Session),
		kgo.HeartbeatInterval(c.cfg.Heartbeat),
		kgo.OnPartitionsAssigned(callback(cfg.Topic, cfg.Assigned)),
		kgo.OnPartitionsRevoked(callback(cfg.Topic, cfg.Revoked)),
		kgo.OnPartitionsLost(callback(cfg.Topic, cfg.Lost)),
	)
	if c.cfg.ServerGroups {
		opts = append(opts, kgo.ServerSideBalancer())
	} else {
		opts = append(opts, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	client, err := c.open("group", opts...)
	if err != nil {
		return nil, err
	}
	g.client = client
	if cfg.MembershipOnly {
		client.PauseFetchTopics(cfg.Topic)
	}
	return g, nil
}

func callback(topic string, fn func(context.Context, []int32)) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(ctx context.Context, _ *kgo.Client, changed map[string][]int32) {
		if partitions := slices.Clone(changed[topic]); len(partitions) > 0 && fn != nil {
			slices.Sort(partitions)
			fn(ctx, partitions)
		}
	}
}

// Poll waits for records. An error means that the group itself is in trouble (and is being mended by the client, unless
// it is ErrClosed); errors of partitions stand in their batches.
func (g *Group) Poll(ctx context.Context) ([]Batch, error) {
	return collect(ctx, g.client, g.cfg.MaxRecords)
}

// Allow lets a rebalance go on that a Poll holds up.
func (g *Group) Allow() { g.client.AllowRebalance() }

// Pause stops fetching partitions, Resume goes on where they stopped.
func (g *Group) Pause(partitions ...int32) {
	g.client.PauseFetchPartitions(map[string][]int32{g.cfg.Topic: partitions})
}

// Resume undoes Pause.
func (g *Group) Resume(partitions ...int32) {
	g.client.ResumeFetchPartitions(map[string][]int32{g.cfg.Topic: partitions})
}

// Commit writes marks, with their metadata, and waits for the brokers' word.
func (g *Group) Commit(ctx context.Context, commits map[int32]Mark) error {
	if len(commits) == 0 {
		return nil
	}
	offsets := map[int32]kgo.EpochOffset{}
	for p, m := range commits {
		offsets[p] = kgo.EpochOffset{Epoch: m.Epoch, Offset: m.Offset}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				part := &req.Topics[t].Partitions[p]
				part.Metadata = kmsg.StringPtr(commits[part.Partition].Metadata)
			}
		}
		return nil
	})
	var failed error
	g.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{g.cfg.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			failed = commitError(resp, err)
		})
	return wrap(failed, "commit for group %s on %s", g.cfg.Group, g.cfg.Topic)
}

func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil || resp == nil {
		return err
	}
	var errs []error
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				errs = append(errs, wrap(err, "partition %d", p.Partition))
			}
		}
	}
	return errors.Join(errs...)
}

// Close gives the partitions back (Revoked is called) and leaves the group, waiting for it no longer than ctx.
func (g *Group) Close(ctx context.Context) error {
	g.client.AllowRebalance()
	err := g.client.LeaveGroupContext(ctx)
	g.client.CloseAllowingRebalance()
	return wrap(err, "leave group %s", g.cfg.Group)
}
