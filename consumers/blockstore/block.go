package blockstore

import (
	"slices"
	"sync/atomic"

	"stripeline/schemas"
)

// pending is a packet that has been put and is not done.
type pending struct {
	stripe schemas.Stripe
	block  *block
	got    []bool       // per index: its receipt has been emitted
	refs   atomic.Int32 // the sink's, and one for each write that reads its cells
}

// release gives one reference back; the last one releases the stripe.
func (p *pending) release() {
	if p.refs.Add(-1) == 0 {
		p.stripe.Release()
	}
}

func (p *pending) data() bool { return p.stripe.Packet.Kind == schemas.PacketData }

// block is what a sink knows of a block.
type block struct {
	id      schemas.BlockID
	policy  schemas.Policy
	targets []*target       // of each index; nil = none
	shards  [][]*shard      // of each index, oldest first
	short   map[int32]int32 // length of each known stripe that has empty cells
	record  schemas.Block   // what was on record when the block was first touched; the zero value when nothing was
	closed  bool            // packets are answered closed
	count   int32           // of stripes, once the close is acked; -1 when not known
	limit   int32           // stripes from here on are behind a close frame on disk; -1 = there is none
	pending []*pending      // in order of arrival
	used    int64           // when, by the sink's count of puts
}

// behind says whether a stripe lies behind the block's close.
func (b *block) behind(stripe int32) bool { return b.closed || b.limit >= 0 && stripe >= b.limit }

// has says whether an index has, or is about to have, the frame of a packet.
func (b *block) has(index int, p *schemas.Packet) (*shard, bool) {
	for _, s := range b.shards[index] {
		if e, ok := s.find(p.Stripe); ok && s.matches(e, p) {
			return s, true
		}
	}
	return nil, false
}

// conflicts counts the indexes that have another frame of the packet's stripe, and not the packet's own.
func (b *block) conflicts(p *schemas.Packet) int {
	n := 0
	for index, shards := range b.shards {
		if _, have := b.has(index, p); have {
			continue
		}
		if slices.ContainsFunc(shards, func(s *shard) bool { _, other := s.find(p.Stripe); return other }) {
			n++
		}
	}
	return n
}

// open gives the shard that takes the next frame of an index, nil when a new one must begin.
func (b *block) open(index int, p *schemas.Packet) *shard {
	for _, s := range slices.Backward(b.shards[index]) {
		if s.failed == nil && !s.frozen && s.target == b.targets[index] && s.header.Generation == p.Generation &&
			s.header.Policy == p.Policy && b.follows(s, p.Stripe) {
			return s
		}
	}
	return nil
}

// follows says whether a stripe is the shard's next: nothing but empty cells lies between.
func (b *block) follows(s *shard, stripe int32) bool {
	if stripe <= s.last() || len(s.entries) == 0 {
		return false
	}
	for between := s.last() + 1; between < stripe; between++ {
		length, known := b.short[between]
		if !known || b.policy.CellLength(s.header.Index, int(length)) > 0 {
			return false
		}
	}
	return true
}

// note remembers the length of a stripe that has empty cells.
func (b *block) note(stripe, length int32) {
	if int(length) <= (b.policy.K-1)*b.policy.Cell {
		b.short[stripe] = length
	}
}

// stripes counts the stripes of the block as far as this store and the record know, -1 when they do not know all.
func (b *block) stripes() int32 {
	known := make(map[int32]bool)
	next := b.record.Stripes()
	for _, shards := range b.shards {
		for _, s := range shards {
			for _, e := range s.entries {
				known[e.stripe] = true
			}
		}
	}
	for known[next] {
		next++
	}
	for stripe := range known {
		if stripe >= next {
			return -1
		}
	}
	if next == 0 {
		return -1
	}
	return next
}

// assign says where each index of a block belongs: where its shards are, then where the record has them, then where
// placement put them, never two in one domain.
func (b *block) assign(own map[schemas.TargetID]*target, placed []schemas.TargetID) {
	domains := make(map[string]bool)
	take := func(index int, t *target) {
		if t != nil && b.targets[index] == nil && !domains[t.domain] {
			b.targets[index] = t
			domains[t.domain] = true
		}
	}
	for index, shards := range b.shards {
		for _, s := range slices.Backward(shards) {
			take(index, s.target)
		}
	}
	for _, s := range slices.Backward(b.record.Shards) {
		if s.State == schemas.ShardKeep && int(s.Index) < len(b.targets) {
			take(int(s.Index), own[s.Target])
		}
	}
	for index, id := range placed {
		if index < len(b.targets) {
			take(index, own[id])
		}
	}
}

// idle says whether the block can be forgotten: nothing of it waits for a receipt, and no write is under way.
func (b *block) idle() bool {
	if len(b.pending) > 0 {
		return false
	}
	for _, shards := range b.shards {
		for _, s := range shards {
			if s.failed == nil && s.written < s.queued {
				return false
			}
		}
	}
	return true
}
