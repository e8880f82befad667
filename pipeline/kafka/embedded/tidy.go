package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// tidyLoop looks after the log until ctx ends: the broker's own clock stands still after a start.
func (b *Broker) tidyLoop(ctx context.Context) {
	defer close(b.tidied)
	tick := time.NewTicker(b.opts.Tidy)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.tidy(ctx); err != nil && ctx.Err() == nil {
			b.opts.Logger.Error("the embedded log cannot be kept tidy: it grows", "cause", err.Error())
		}
	}
}

// tidy witnesses the ends, then compacts and applies retention. The witness is written while the broker serves, since an fsync may take its time.
func (b *Broker) tidy(ctx context.Context) error {
	var seen witness
	var err error
	if alone := b.alone(ctx, func() { seen, err = observe(b.cluster, b.opts.Dir) }); alone != nil {
		return alone
	}
	if err == nil {
		err = seen.write(b.opts.Dir)
	}
	if err != nil {
		return err
	}
	if alone := b.alone(ctx, func() { err = b.tidyAlone(seen) }); alone != nil {
		return alone
	}
	return err
}

// tidyAlone trims. What may be emptied by that has been witnessed to its very end.
func (b *Broker) tidyAlone(seen witness) error {
	topics, err := readTopics(b.opts.Dir)
	if err != nil {
		return err
	}
	now, err := observe(b.cluster, b.opts.Dir)
	if err != nil {
		return err
	}
	if now.moved(seen) {
		if err := now.write(b.opts.Dir); err != nil {
			return err
		}
	}
	if !b.compactionDue(topics) {
		b.cluster.ApplyRetention()
		return nil
	}
	return b.compact(topics)
}

// compact is never called while a transaction is open in a compacted topic: the broker would let a record that may yet be aborted remove its elders.
func (b *Broker) compact(topics []topicState) error {
	if err := setAside(b.opts.Dir, topics); err != nil {
		return err
	}
	b.cluster.Compact()
	b.floors.Store(lowest(b.cluster, topics))
	b.compactedTo = b.compactedBytes(topics)
	return dropAside(b.opts.Dir)
}

func (b *Broker) compactionDue(topics []topicState) bool {
	for _, t := range topics {
		if !t.compacted() {
			continue
		}
		for _, p := range look(b.cluster, t.Name) {
			if p.stable != p.end {
				return false
			}
		}
	}
	return b.compactedBytes(topics)-b.compactedTo >= b.opts.CompactBytes
}

func (b *Broker) compactedBytes(topics []topicState) int64 {
	var sum int64
	for _, t := range topics {
		if !t.compacted() {
			continue
		}
		for _, p := range look(b.cluster, t.Name) {
			sum += p.bytes
		}
	}
	return sum
}

// alone runs job while the broker answers nobody: inside its answer to a request of our own, as it serves one at a time.
func (b *Broker) alone(ctx context.Context, job func()) error {
	done := make(chan struct{})
	b.jobs <- func() { defer close(done); job() }
	_, err := b.own.Request(ctx, kmsg.NewPtrDescribeClusterRequest())
	select {
	case <-b.jobs:
		return fmt.Errorf("reach embedded broker: %w", err)
	case <-done:
		return nil
	}
}

// runJob does what alone left, in the broker's one thread, and lets the broker answer.
func (b *Broker) runJob(kmsg.Request) (kmsg.Response, error, bool) {
	select {
	case job := <-b.jobs:
		job()
	default:
	}
	return nil, nil, false
}
