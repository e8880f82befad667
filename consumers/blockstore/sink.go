package blockstore

import (
	"context"
	"fmt"
	"sync"

	"stripeline/schemas"
)

// The number of blocks that a sink keeps in memory without need: open ones with their files, closed ones without.
const (
	idleOpen   = 64
	idleClosed = 4096
)

// Sink stores the stripes of one partition. Put is called by one goroutine, Flush by one, and the two may overlap.
type Sink struct {
	store     *Store
	partition int32

	mu      sync.Mutex
	changed sync.Cond // a write was made, or failed
	blocks  map[schemas.BlockID]*block
	pending []*pending    // in order of arrival
	losses  []schemas.Ack // found since the last Flush
	puts    int64
	below   bool // the last Flush was below the quorum
	closed  bool
}

// Put takes a stripe, or the end of a block, and starts to write it. With a nil error or a Reject the sink owns the
// stripe and releases it in time; with another error it is still the caller's, who may put it again.
//
// A Reject has code "conflict": k or more indexes hold another frame of the same stripe. When a block is touched for
// the first time its shards on this store are read and verified before.
func (k *Sink) Put(ctx context.Context, s schemas.Stripe) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := k.block(&s)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	k.puts++
	b.used = k.puts
	p := &pending{stripe: s, block: b}
	p.refs.Store(1)
	if !p.data() {
		b.closed = true
		k.add(p)
		k.close(b)
		return nil
	}
	if b.behind(s.Packet.Stripe) {
		p.release()
		return nil
	}
	if err := k.refuse(p); err != nil {
		p.release()
		return err
	}
	p.got = make([]bool, len(b.shards))
	b.note(s.Packet.Stripe, int32(len(s.Packet.Payload)))
	k.add(p)
	for index := range s.Cells {
		k.place(p, index)
	}
	return nil
}

func (k *Sink) add(p *pending) {
	k.pending = append(k.pending, p)
	p.block.pending = append(p.block.pending, p)
}

// refuse gives a Reject when the packet contradicts what is stored.
func (k *Sink) refuse(p *pending) error {
	packet, b := &p.stripe.Packet, p.block
	if p.stripe.Policy != b.policy {
		return schemas.Reject("conflict", fmt.Sprintf("%s: its policy is %s, the block's is %s", packet, p.stripe.Policy, b.policy))
	}
	if n := b.conflicts(packet); n >= b.policy.K {
		return schemas.Reject("conflict", fmt.Sprintf("%s: %d targets hold another stripe of this number: "+
			"another writer was here, write what is missing to a new block", packet, n))
	}
	return nil
}

// place sees to it that an index gets the frame of a stripe, unless its target is sick; k.mu is held.
func (k *Sink) place(p *pending, index int) {
	b, packet := p.block, &p.stripe.Packet
	t := b.targets[index]
	if len(p.stripe.Cells[index]) == 0 || p.got[index] || t == nil || t.trouble() != nil {
		return
	}
	if _, have := b.has(index, packet); have {
		return
	}
	s := b.open(index, packet)
	if s == nil {
		for _, earlier := range b.pending {
			if earlier != p && earlier.data() && earlier.stripe.Packet.Stripe < packet.Stripe {
				k.place(earlier, index)
			}
		}
		if s = b.open(index, packet); s == nil {
			s = begin(b, t, index, packet)
		}
	}
	k.append(s, p)
}

// begin makes a new shard of an index; its file is made by its first write.
func begin(b *block, t *target, index int, p *schemas.Packet) *shard {
	s := &shard{target: t, header: schemas.ShardHeader{Block: b.id, Generation: p.Generation, Index: index,
		Incarnation: schemas.NewIncarnation(), Policy: p.Policy}}
	if p.Stripe == 0 {
		s.header.Path, s.header.Metadata = p.Path, p.Metadata
	}
	b.shards[index] = append(b.shards[index], s)
	return s
}

// append writes the frame of a stripe at the end of a shard; k.mu is held.
func (k *Sink) append(s *shard, p *pending) {
	packet, index := &p.stripe.Packet, s.header.Index
	cell := p.stripe.Cells[index]
	head := make([]byte, 0, schemas.FrameHeaderSize(len(cell)))
	if s.queued == 0 {
		head = schemas.AppendShardHeader(head, &s.header)
	}
	head = schemas.AppendFrame(head, &schemas.Frame{Kind: schemas.FrameCell, Index: index, Block: packet.Block,
		Generation: packet.Generation, Stripe: packet.Stripe, StripeLength: int32(len(packet.Payload)),
		CellLength: int32(len(cell)), Offset: packet.Offset, FileLength: -1, CRC: packet.CRC, Sums: p.stripe.Sums[index]})
	p.refs.Add(1)
	if k.write(s, p.release, head, cell) {
		s.entries = append(s.entries, entry{packet.Stripe, int32(len(packet.Payload)), packet.CRC, s.queued})
	}
}

// write asks for the next write of a shard and says whether the target took it; k.mu is held. free is called when the
// pieces are not read any more.
func (k *Sink) write(s *shard, free func(), pieces ...[]byte) bool {
	number := s.queued + 1
	o := &operation{run: s.writing(s.end, pieces...), free: free, done: func(err error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			s.written = number
		} else if s.failed == nil {
			s.failed = err
		}
		k.changed.Broadcast()
	}}
	if err := s.target.enqueue(o); err != nil {
		if s.failed == nil {
			s.failed = err
		}
		free()
		return false
	}
	s.queued = number
	for _, p := range pieces {
		s.end += int64(len(p))
	}
	return true
}

// close writes the close frame to each shard of a block that lacks it; k.mu is held.
func (k *Sink) close(b *block) {
	var end *schemas.Packet
	for _, p := range b.pending {
		if !p.data() && end == nil {
			end = &p.stripe.Packet
		}
	}
	if end == nil {
		return
	}
	count := max(b.stripes(), end.Stripe)
	for _, shards := range b.shards {
		for _, s := range shards {
			if s.failed != nil || s.frozen || s.closing > 0 || len(s.entries) == 0 {
				continue
			}
			frame := schemas.Frame{Kind: schemas.FrameClose, Index: s.header.Index, Block: b.id, Generation: end.Generation,
				Stripe: max(count, s.last()+1), Offset: max(0, end.Offset), FileLength: end.FileLength, CRC: end.CRC}
			if k.write(s, func() {}, schemas.AppendFrame(nil, &frame)) {
				s.closing, s.frozen = s.queued, true
			}
		}
	}
}

// Close forgets everything that is not durable, after the writes that have begun. It makes nothing durable.
func (k *Sink) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	for _, b := range k.blocks {
		k.settle(b)
		b.drop()
	}
	for _, p := range k.pending {
		p.release()
	}
	k.pending, k.blocks = nil, nil
	k.store.leave(k)
	return nil
}

// settle waits until no write of a block is under way; k.mu is held.
func (k *Sink) settle(b *block) {
	for _, shards := range b.shards {
		for _, s := range shards {
			for s.failed == nil && s.written < s.queued {
				k.changed.Wait()
			}
		}
	}
}

// drop closes the block's files.
func (b *block) drop() {
	for _, shards := range b.shards {
		for _, s := range shards {
			s.drop()
		}
	}
}

// drop closes the file of a shard in the order of its target's writes, so that none still uses it. On a sick target,
// where one may hang, that is left to the garbage collector.
func (s *shard) drop() {
	_ = s.target.enqueue(&operation{done: func(error) {}, free: func() {}, run: func() error {
		if s.file == nil {
			return nil
		}
		return s.file.Close()
	}})
}
