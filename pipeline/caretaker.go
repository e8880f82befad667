package pipeline

import (
	"context"
	"sync"
	"time"

	"stripeline/schemas"
)

// removalGrace is how long a shard that is marked stays, so that a reader of replaced content ends in peace.
const removalGrace = 10 * time.Minute

// caretaker follows the blocks for a worker's targets: it removes shards that a record marks, after the grace period, and
// acks the removal. A record that is missing is never a reason to remove anything.
type caretaker struct {
	worker *Worker
	grace  time.Duration

	mu     sync.Mutex
	marked map[markedShard]time.Time // since when this process knows the mark
}

type markedShard struct {
	block       schemas.BlockID
	index       int32
	target      schemas.TargetID
	incarnation schemas.Incarnation
	generation  schemas.Generation // of the block, for the ack
	policy      string
}

func newCaretaker(w *Worker) *caretaker {
	return &caretaker{worker: w, grace: removalGrace, marked: make(map[markedShard]time.Time)}
}

// see notes what a block's record marks, and forgets what it no longer marks.
func (c *caretaker) see(b *schemas.Block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range b.Shards {
		key := markedShard{b.ID, s.Index, s.Target, s.Incarnation, b.Generation, b.Policy}
		wanted := s.State == schemas.ShardDrop || b.State == schemas.BlockDeleted && s.State != schemas.ShardRemoved
		if _, known := c.marked[key]; wanted && !known {
			c.marked[key] = time.Now()
		} else if !wanted {
			delete(c.marked, key)
		}
	}
}

// run removes what is due, until ctx ends.
func (c *caretaker) run(ctx context.Context) error {
	tick := time.NewTicker(min(c.grace/10+time.Millisecond, time.Minute))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.removeDue(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *caretaker) removeDue(ctx context.Context) {
	own := make(map[schemas.TargetID]bool)
	for _, t := range c.worker.store.Targets() {
		own[t.ID] = true
	}
	for _, m := range c.due() {
		if !own[m.target] {
			continue
		}
		if err := c.remove(ctx, m); err != nil {
			c.worker.site.Log.Warn("could not remove a shard, trying again", "block", m.block, "index", m.index, "error", err)
		}
	}
}

func (c *caretaker) due() []markedShard {
	c.mu.Lock()
	defer c.mu.Unlock()
	var due []markedShard
	for m, since := range c.marked {
		if time.Since(since) >= c.grace {
			due = append(due, m)
		}
	}
	return due
}

func (c *caretaker) remove(ctx context.Context, m markedShard) error {
	ack, err := c.worker.store.Remove(ctx, m.block, schemas.Shard{Index: m.index, Target: m.target, Incarnation: m.incarnation})
	if err != nil {
		return err
	}
	ack.Generation, ack.Policy = m.generation, m.policy
	record, err := c.worker.site.ackRecord(ack)
	if err != nil {
		return err
	}
	return c.worker.producer.ProduceSync(ctx, record)
}
