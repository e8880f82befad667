package blockstore

import (
	"context"
	"errors"
	"sync"

	"stripeline/schemas"
)

// Flush makes durable what was put before it was called, and emits what is known then: LOSS acks of what recovery
// found, receipts, and the CLOSE of a block once everything before it is at its quorum. It fsyncs every file that was
// touched once, all of them in parallel.
//
// ErrBelowQuorum names the stripes that wait and the targets that are sick; their cells are kept, and the next Flush
// tries every target again. What was emitted stays true.
func (k *Sink) Flush(ctx context.Context, emit func(schemas.Ack)) error {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return ErrClosed
	}
	below := k.below
	k.mu.Unlock()
	if below {
		k.store.heal()
	}
	k.mu.Lock()
	losses, batch := k.losses, k.pending[:len(k.pending):len(k.pending)]
	k.losses = nil
	touched := k.begin(batch)
	err := k.await(ctx, touched)
	k.mu.Unlock()
	for _, loss := range losses {
		emit(loss)
	}
	if err != nil {
		return err
	}
	touched.sync()
	k.mu.Lock()
	touched.apply()
	acks, err := k.conclude(batch)
	k.mu.Unlock()
	for _, ack := range acks {
		emit(ack)
	}
	return err
}

// syncing is a shard whose writes up to a number are to be made durable.
type syncing struct {
	shard  *shard
	number int32
	ready  bool     // the writes are made
	made   []string // directories with new names
	err    error
}

type syncings []*syncing

// begin tries again what failed earlier and gives the shards to be fsynced; k.mu is held.
func (k *Sink) begin(batch []*pending) syncings {
	blocks := make(map[*block]bool)
	for _, p := range batch {
		blocks[p.block] = true
		if p.data() {
			for index := range p.got {
				k.place(p, index)
			}
		}
	}
	var touched syncings
	for b := range blocks {
		k.close(b)
		for _, shards := range b.shards {
			for _, s := range shards {
				if s.failed == nil && s.durable < s.queued {
					touched = append(touched, &syncing{shard: s, number: s.queued})
				}
			}
		}
	}
	return touched
}

// await waits until the writes that are to be fsynced are made; k.mu is held.
func (k *Sink) await(ctx context.Context, touched syncings) error {
	stop := context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed.Broadcast()
	})
	defer stop()
	for _, s := range touched {
		for s.shard.written < s.number && s.shard.failed == nil && ctx.Err() == nil {
			k.changed.Wait()
		}
		if s.shard.failed == nil && s.shard.written >= s.number {
			s.ready, s.number, s.made = true, s.shard.written, s.shard.made
		}
	}
	return ctx.Err()
}

// sync fsyncs the files and then, per target, the directories with new names.
func (all syncings) sync() {
	var group sync.WaitGroup
	for _, s := range all {
		if s.ready {
			s.start(&group)
		}
	}
	group.Wait()
	dirs := make(map[string]error)
	type place struct {
		target *target
		dir    string
	}
	asked := make(map[place]bool)
	var mu sync.Mutex
	for _, s := range all {
		for _, dir := range s.made {
			if p := (place{s.shard.target, dir}); s.err == nil && !asked[p] {
				asked[p] = true
				group.Go(func() {
					err := p.target.do(func() error { return p.target.disk.SyncDir(p.dir) })
					mu.Lock()
					dirs[p.dir] = err
					mu.Unlock()
				})
			}
		}
	}
	group.Wait()
	for _, s := range all {
		for _, dir := range s.made {
			s.err = errors.Join(s.err, dirs[dir])
		}
	}
}

// start fsyncs one file in the background.
func (s *syncing) start(group *sync.WaitGroup) {
	group.Add(1)
	done := func(err error) {
		s.err = err
		group.Done()
	}
	if err := s.shard.target.launch(&operation{run: s.shard.sync, done: done, free: func() {}}); err != nil {
		done(err)
	}
}

// apply notes what has become durable; the sink's lock is held.
func (all syncings) apply() {
	for _, s := range all {
		switch {
		case s.shard.failed != nil || !s.ready:
		case s.err != nil:
			s.shard.failed = s.err
		default:
			s.shard.durable = max(s.shard.durable, s.number)
			s.shard.target.name(s.shard.made)
			s.shard.made = nil
		}
	}
}

// conclude gives the acks of what the batch has come to, and forgets the packets that are done; k.mu is held.
func (k *Sink) conclude(batch []*pending) ([]schemas.Ack, error) {
	var acks []schemas.Ack
	var waiting error
	done := make(map[*pending]bool, len(batch))
	blocks, count := blocksOf(batch)
	for _, b := range blocks {
		mine := b.pending[:count[b]]
		acks = append(acks, b.receipts(mine)...)
		held := false
		for _, p := range mine {
			switch {
			case !p.data() && !held:
				acks = append(acks, b.closing(&p.stripe.Packet))
				done[p] = true
			case p.data() && p.settled():
				done[p] = true
			case waiting == nil:
				waiting = p.waits()
			}
			held = held || !done[p]
		}
		b.pending = remove(b.pending, done)
		b.rest()
	}
	k.pending = remove(k.pending, done)
	for p := range done {
		p.release()
	}
	k.below = waiting != nil
	return acks, waiting
}

// rest closes the files of a block whose close is acked, and forgets its frames.
func (b *block) rest() {
	if b.closed && b.idle() {
		b.drop()
		b.shards, b.short = nil, nil
	}
}

func remove(from []*pending, done map[*pending]bool) []*pending {
	kept := make([]*pending, 0, len(from))
	for _, p := range from {
		if !done[p] {
			kept = append(kept, p)
		}
	}
	return kept
}

// blocksOf gives the blocks of a batch in order of their first packet, and how many packets each has in it: they are
// the first ones of the block's pending packets.
func blocksOf(batch []*pending) (blocks []*block, count map[*block]int) {
	count = make(map[*block]int)
	for _, p := range batch {
		if count[p.block] == 0 {
			blocks = append(blocks, p.block)
		}
		count[p.block]++
	}
	return blocks, count
}
