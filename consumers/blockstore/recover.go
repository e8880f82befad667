package blockstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"stripeline/schemas"
)

// block gives what the sink knows of a stripe's block. The first time it reads the block's shards on all targets.
func (k *Sink) block(s *schemas.Stripe) (*block, error) {
	id := s.Packet.Block
	k.mu.Lock()
	b := k.blocks[id]
	k.mu.Unlock()
	if b != nil {
		return b, nil
	}
	b = &block{id: id, policy: s.Policy, targets: make([]*target, s.Policy.N()), shards: make([][]*shard, s.Policy.N()),
		short: make(map[int32]int32), limit: -1}
	if acked := k.store.options.Acked; acked != nil {
		b.record, _ = acked(id)
	}
	b.closed = b.record.Closed() || b.record.State == schemas.BlockDeleted
	var losses []schemas.Ack
	if !b.closed {
		losses = k.store.recover(b)
		b.assign(k.store.byID, s.Targets)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, ErrClosed
	}
	k.losses = append(k.losses, losses...)
	k.forget()
	k.blocks[id] = b
	return b, nil
}

// found is a shard that recovery has read, and what it lost.
type found struct {
	shard  *shard
	short  map[int32]int32
	limit  int32 // stripe count of its close frame, -1 = none
	losses []schemas.Ack
}

// recover reads and verifies the block's shards on the targets that work, and gives what is lost.
func (s *Store) recover(b *block) []schemas.Ack {
	var mu sync.Mutex
	var all []found
	var group sync.WaitGroup
	for _, t := range s.names.unsure(b.id, s.targets) {
		group.Go(func() {
			var here []found
			var blocks []schemas.BlockID
			// An error makes the target sick: its shards are not known then, and none of them is appended to.
			err := t.do(func() (err error) { here, blocks, err = t.recover(b.id, &b.record); return err })
			if err != nil {
				return
			}
			s.names.listed(b.id, t, blocks)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, here...)
		})
	}
	group.Wait()
	s.names.add(b.id)
	slices.SortFunc(all, func(x, y found) int { return compareFound(&x, &y) })
	return b.adopt(all)
}

// adopt takes the shards that recovery found, and gives what is lost.
func (b *block) adopt(all []found) []schemas.Ack {
	var losses []schemas.Ack
	for _, f := range all {
		losses = append(losses, f.losses...)
		if f.shard == nil || f.shard.header.Index >= len(b.shards) {
			continue
		}
		index := f.shard.header.Index
		b.shards[index] = append(b.shards[index], f.shard)
		for stripe, length := range f.short {
			b.note(stripe, length)
		}
		b.limit = max(b.limit, f.limit)
	}
	return losses
}

// compareFound orders shards by their last stripe, and then in any fixed order.
func compareFound(x, y *found) int {
	if x.shard == nil || y.shard == nil {
		return boolOrder(x.shard != nil) - boolOrder(y.shard != nil)
	}
	if d := int(x.shard.last() - y.shard.last()); d != 0 {
		return d
	}
	return slices.Compare(x.shard.header.Incarnation[:], y.shard.header.Incarnation[:])
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// recover reads the block's shards on one target, and lists the blocks of the directory that they are in; it runs as
// an operation.
func (t *target) recover(id schemas.BlockID, record *schemas.Block) ([]found, []schemas.BlockID, error) {
	if err := t.present(); err != nil {
		return nil, nil, err
	}
	d, err := os.Open(filepath.Join(t.dir, id.String()[:2]))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, nil, err
	}
	var all []found
	var blocks []schemas.BlockID
	for _, name := range names {
		block, index, incarnation, ok := parseName(name)
		if ok {
			blocks = append(blocks, block)
		}
		if !ok || block != id {
			continue
		}
		f, err := t.reopen(schemas.ShardHeader{Block: id, Index: index, Incarnation: incarnation}, record)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, f)
	}
	return all, blocks, nil
}

// parseName reads the name of a shard file.
func parseName(name string) (block schemas.BlockID, index int, incarnation schemas.Incarnation, ok bool) {
	stem, ok := strings.CutSuffix(name, ".shard")
	parts := strings.Split(stem, "-")
	if !ok || len(parts) != 3 {
		return block, 0, incarnation, false
	}
	block, err := schemas.ParseBlockID(parts[0])
	if err != nil {
		return block, 0, incarnation, false
	}
	if _, err := fmt.Sscanf(parts[1], "%d", &index); err != nil || index < 0 || fmt.Sprint(index) != parts[1] {
		return block, 0, incarnation, false
	}
	incarnation, err = schemas.ParseIncarnation(parts[2])
	return block, index, incarnation, err == nil
}
