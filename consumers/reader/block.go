package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"stripeline/schemas"
)

// block is a closed block that is being read. Its length, stripes and checksums are fixed; its shards are taken anew
// from the record when some turn out to be gone.
type block struct {
	*geometry
	ctx     context.Context // the File's
	source  *Source
	path    string
	buffers *buffers
	id      schemas.BlockID
	record  schemas.Block // as it was first; Shards are in shards

	mu       sync.Mutex
	shards   []*shard // in order of preference
	reported map[damageKey]struct{}

	users int    // guarded by the File
	used  uint64 // guarded by the File
}

type damageKey struct {
	incarnation schemas.Incarnation
	stripe      int32
}

// openBlock checks that a block's record can be read from.
func (f *File) openBlock(ctx context.Context, id schemas.BlockID) (*block, error) {
	record, err := f.record(ctx, id)
	if err != nil {
		return nil, err
	}
	g, err := newGeometry(&record)
	if err != nil {
		return nil, err
	}
	b := &block{geometry: g, ctx: f.ctx, source: &f.source, path: f.entry.Path, buffers: &f.buffers, id: id, record: record,
		reported: make(map[damageKey]struct{})}
	b.arrange(&record)
	return b, nil
}

// record gives the record of a block that is closed.
func (f *File) record(ctx context.Context, id schemas.BlockID) (schemas.Block, error) {
	record, err := f.source.Block(ctx, id)
	switch {
	case err != nil:
		return record, fmt.Errorf("read %s: block %s: %w", f.entry.Path, id, err)
	case record.State == schemas.BlockDeleted:
		return record, fmt.Errorf("read %s: block %s: %w", f.entry.Path, id, ErrReplaced)
	case !record.Closed():
		return record, fmt.Errorf("read %s: block %s: %w", f.entry.Path, id, ErrIncomplete)
	case record.ID != id:
		return record, fmt.Errorf("read %s: %w: the record of block %s names %s", f.entry.Path, ErrDisagree, id, record.ID)
	}
	return record, nil
}

// refresh takes the shards from the block's record as it is now. The error is ErrReplaced when the block was deleted.
func (b *block) refresh(ctx context.Context) error {
	record, err := b.source.Block(ctx, b.id)
	if err == nil && record.State == schemas.BlockDeleted {
		err = ErrReplaced
	}
	if err != nil {
		return fmt.Errorf("read %s: block %s: %w", b.path, b.id, err)
	}
	b.arrange(&record)
	return nil
}

// arrange makes the shards those of the record. Shards that are as they were stay open.
func (b *block) arrange(record *schemas.Block) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make([]*shard, 0, len(record.Shards))
	for _, meta := range record.Shards {
		if meta.State == schemas.ShardRemoved || len(meta.Ranges) == 0 || int(meta.Index) >= b.policy.N() || meta.Index < 0 {
			continue
		}
		same := func(s *shard) bool { return reflect.DeepEqual(s.meta, meta) }
		if i := slices.IndexFunc(b.shards, same); i >= 0 {
			kept = append(kept, b.shards[i])
			continue
		}
		kept = append(kept, &shard{block: b, meta: meta, frames: b.frames(int(meta.Index))})
	}
	for _, old := range b.shards {
		if !slices.Contains(kept, old) {
			old.close()
		}
	}
	slices.SortStableFunc(kept, b.prefer)
	b.shards = kept
}

// prefer orders shards: kept before dropped, data before parity, near before far, then by index.
func (b *block) prefer(x, y *shard) int {
	rank := func(*shard) int { return 0 }
	if b.source.Rank != nil {
		rank = func(s *shard) int { return b.source.Rank(s.meta) }
	}
	class := func(s *shard) int {
		c := 0
		if int(s.meta.Index) >= b.policy.K {
			c = 1
		}
		if s.meta.State == schemas.ShardDrop {
			c += 2
		}
		return c
	}
	return cmp.Or(cmp.Compare(class(x), class(y)), cmp.Compare(rank(x), rank(y)), cmp.Compare(x.meta.Index, y.meta.Index))
}

// current gives the shards as they are now; the slice is not changed later.
func (b *block) current() []*shard {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shards
}

// report tells of damage to shards that the record still keeps, each once.
func (b *block) report(faults []fault) {
	if b.source.Damage == nil {
		return
	}
	for _, f := range faults {
		if f.shard.meta.State != schemas.ShardKeep || errors.Is(f.reason, ErrHung) || b.ctx.Err() != nil {
			continue
		}
		stripe := f.stripe
		if f.shard.broken.Load() {
			stripe = -1
		}
		key := damageKey{f.shard.meta.Incarnation, stripe}
		b.mu.Lock()
		_, known := b.reported[key]
		current := slices.Contains(b.shards, f.shard)
		if current {
			b.reported[key] = struct{}{}
		}
		b.mu.Unlock()
		if current && !known {
			b.source.Damage(Damage{Path: b.path, Block: b.id, Shard: f.shard.meta, Stripe: stripe, Reason: f.reason})
		}
	}
}

// close closes the shards' files, each when its last read has returned.
func (b *block) close() {
	for _, s := range b.current() {
		s.close()
	}
}
