package catalog

import (
	"context"
	"fmt"
	"slices"

	"stripeline/schemas"
)

// Blocks is a view of the blocks topic. Make one with NewBlocks.
type Blocks struct {
	ids    board[schemas.BlockID]
	blocks map[schemas.BlockID]schemas.Block // guarded by ids
}

// NewBlocks makes an empty view.
func NewBlocks() *Blocks { return &Blocks{blocks: map[schemas.BlockID]schemas.Block{}} }

// Put takes in one record of the blocks topic; record is nil for a tombstone. Positions are passed over.
func (v *Blocks) Put(key []byte, record *schemas.BlockRecord) {
	switch {
	case record == nil && len(key) == len(schemas.BlockID{}):
		id := schemas.BlockID(key)
		v.ids.change(id, func() { delete(v.blocks, id) })
	case record != nil && record.Block != nil:
		b := cloneBlock(record.Block)
		v.ids.change(b.ID, func() { v.blocks[b.ID] = b })
	}
}

// Lookup gives a block's record.
func (v *Blocks) Lookup(id schemas.BlockID) (schemas.Block, bool) {
	v.ids.mu.RLock()
	defer v.ids.mu.RUnlock()
	b, ok := v.blocks[id]
	return b, ok
}

// Await returns a block's record once there is one and holds says yes to it. holds must be quick and must not ask the
// view. The error is why ctx ended.
func (v *Blocks) Await(ctx context.Context, id schemas.BlockID, holds func(*schemas.Block) bool) (schemas.Block, error) {
	var b schemas.Block
	err := v.ids.await(ctx, id, func() bool {
		var found bool
		b, found = v.blocks[id]
		return found && holds(&b)
	})
	if err != nil {
		return schemas.Block{}, fmt.Errorf("wait for block %s: %w", id, err)
	}
	return b, nil
}

// AwaitClosed returns a block's record once the block is closed, or deleted.
func (v *Blocks) AwaitClosed(ctx context.Context, id schemas.BlockID) (schemas.Block, error) {
	return v.Await(ctx, id, func(b *schemas.Block) bool { return ended(b) })
}

// AwaitStored returns a block's record once its first stripes are stored, or never will be by this writer: the block is
// closed with fewer, or deleted.
func (v *Blocks) AwaitStored(ctx context.Context, id schemas.BlockID, stripes int32) (schemas.Block, error) {
	return v.Await(ctx, id, func(b *schemas.Block) bool { return b.Stored >= stripes || isShort(b, stripes) })
}

// AwaitFull returns a block's record once its first stripes are full, or never will be: the block is closed with fewer,
// or deleted. A degraded block is waited for until repair has made it whole.
func (v *Blocks) AwaitFull(ctx context.Context, id schemas.BlockID, stripes int32) (schemas.Block, error) {
	return v.Await(ctx, id, func(b *schemas.Block) bool { return b.Full >= stripes || isShort(b, stripes) })
}

func ended(b *schemas.Block) bool { return b.Closed() || b.State == schemas.BlockDeleted }

func isShort(b *schemas.Block, stripes int32) bool {
	return b.State == schemas.BlockDeleted || b.Closed() && b.Stripes() < stripes
}

func cloneBlock(b *schemas.Block) schemas.Block {
	c := *b
	c.Policy, c.Runs, c.CRCs, c.Missing = intern(b.Policy), slices.Clone(b.Runs), slices.Clone(b.CRCs), slices.Clone(b.Missing)
	c.Shards = slices.Clone(b.Shards)
	for i := range c.Shards {
		s := &c.Shards[i]
		s.Domain, s.Ranges = intern(s.Domain), slices.Clone(s.Ranges)
	}
	return c
}
