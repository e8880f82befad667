package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stripeline/pipeline/kafka"
)

// leaveTime bounds how long leaving a group may take.
const leaveTime = 5 * time.Second

// inGroup reads as a member of a group: what is printed is flushed, then committed.
func (c *Consume) inGroup(ctx context.Context) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	group, err := c.Cluster.NewGroup(kafka.GroupConfig{Group: c.Group, Topic: c.Topic})
	if err != nil {
		return err
	}
	defer func() {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
		defer cancel()
		_ = group.Close(leaving)
	}()
	for {
		if err := c.groupRound(ctx, group); err != nil {
			return err
		}
	}
}

// isLost says that a group will not come back by itself; everything else is waited out.
func isLost(err error) bool { return errors.Is(err, kafka.ErrClosed) || errors.Is(err, kafka.ErrAuth) }

func lostGroup(group string, err error) error {
	if errors.Is(err, kafka.ErrAuth) {
		return fmt.Errorf("join group %s: %w: the brokers must allow this user to READ the group and its topic", group, err)
	}
	return fmt.Errorf("join group %s: %w", group, err)
}

// groupRound polls, prints and commits once.
func (c *Consume) groupRound(ctx context.Context, group *kafka.Group) error {
	batches, err := group.Poll(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isLost(err) {
		return lostGroup(c.Group, err)
	}
	if err != nil {
		c.Cluster.Logger().Warn("group is being mended", "group", c.Group, "error", err)
		return nil
	}
	marks := map[int32]kafka.Mark{}
	var stop error
	for _, b := range batches {
		already := c.printed
		if stop = c.print(ctx, b.Records); stop == nil {
			stop = b.Err
		}
		if n := c.printed - already; n > 0 {
			last := b.Records[n-1]
			marks[b.Partition] = kafka.Mark{Offset: last.Offset + 1, Epoch: last.LeaderEpoch}
		}
		if stop != nil {
			break
		}
	}
	if err := c.printer.Flush(ctx, func(struct{}) {}); err != nil {
		return err
	}
	committing, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if err := group.Commit(committing, marks); err != nil && stop == nil {
		stop = err
	}
	group.Allow()
	return stop
}

// enter puts the group where it shall begin, before it is joined.
func (c *Consume) enter(ctx context.Context) error {
	if c.From.Kind == PlaceDefault {
		return nil
	}
	committed, err := c.Cluster.Committed(ctx, c.Group, c.Topic)
	if err != nil {
		return err
	}
	if len(committed) > 0 && !c.Reset {
		return fmt.Errorf("group %s on %s: %w: leave --from out to go on there, or say --reset", c.Group, c.Topic, ErrCommitExists)
	}
	lag, err := c.Cluster.Lag(ctx, c.Group)
	if err == nil && lag.Members > 0 {
		return fmt.Errorf("group %s has %d members: stop them before resetting it", c.Group, lag.Members)
	}
	from, err := c.place(ctx)
	if err != nil {
		return err
	}
	marks := map[int32]kafka.Mark{}
	for p, at := range from {
		marks[p] = kafka.Mark{Offset: at, Epoch: -1}
	}
	return c.Cluster.SetCommits(ctx, c.Group, c.Topic, marks)
}
