package reader

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"stripeline/schemas"
)

// batch is some consecutive stripes whose data is proven. err says why it has fewer than were asked for.
type batch struct {
	block   *block
	stripes []stripe
	buffers [][]byte
	err     error
}

// release gives the batch's buffers back; no slice of it may be used afterwards.
func (b *batch) release() {
	b.block.buffers.give(b.buffers)
	b.buffers, b.stripes = nil, nil
}

// parts appends the slices of the batch that hold the bytes from block offset from to end.
func (b *batch) parts(dst [][]byte, from, end int64) [][]byte {
	for i := range b.stripes {
		s := &b.stripes[i]
		at := b.block.start(s.number)
		for _, cell := range s.cells[:b.block.policy.K] {
			next := at + int64(len(cell))
			if low, high := max(at, from), min(next, end); low < high {
				dst = append(dst, cell[low-at:high-at])
			}
			at = next
		}
	}
	return dst
}

// read gives the stripes from first to end, proven. When cells are gone it looks whether the block's record has
// changed, and then tries again with the shards that it has now. Stripes before a lost one are in the batch.
func (b *block) read(ctx context.Context, first, end int32) (*batch, error) {
	const tries = 3 // a record that changes under a read does so once or twice
	for try := 1; ; try++ {
		g := newGather(b, first, end)
		lost, err := g.prove(ctx)
		if err != nil {
			b.buffers.give(g.buffers)
			return nil, err
		}
		var faults []fault
		for i := range g.stripes {
			faults = append(faults, g.stripes[i].faults...)
		}
		if len(faults) > 0 || lost != nil {
			err := b.refresh(ctx)
			if lost != nil && err != nil {
				b.buffers.give(g.buffers)
				return nil, err
			}
			if lost != nil && try < tries && !slices.Equal(g.shards, b.current()) {
				b.buffers.give(g.buffers)
				continue
			}
			b.report(faults)
		}
		batch := &batch{block: b, stripes: g.stripes, buffers: g.buffers}
		if lost != nil {
			batch.stripes, batch.err = g.stripes[:lost.Stripe-first], lost
		}
		return batch, nil
	}
}

// prove gathers the stripes, makes their missing data cells and compares each with its CRC32C. It gives the first
// stripe that cannot be had.
func (g *gather) prove(ctx context.Context) (*LostError, error) {
	if err := g.run(ctx); err != nil {
		return nil, err
	}
	spare := make([][]byte, len(g.stripes))
	bad := make([]error, len(g.stripes))
	var group errgroup.Group
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for i := range g.stripes {
		if g.enough(&g.stripes[i]) {
			group.Go(func() error {
				spare[i], bad[i] = g.settle(&g.stripes[i])
				return nil
			})
		}
	}
	_ = group.Wait()
	for _, buf := range spare {
		if buf != nil {
			g.buffers = append(g.buffers, buf)
		}
	}
	for i := range g.stripes {
		s := &g.stripes[i]
		if bad[i] != nil {
			if err := g.doubt(ctx, i); err != nil {
				return nil, err
			}
			if s.cells == nil {
				return g.lost(s, bad[i].Error()), nil
			}
		}
		if !g.enough(s) {
			return g.lost(s, ""), nil
		}
	}
	return nil, nil
}

// errMismatch is a stripe whose data is not what was written, although every frame of it is whole.
var errMismatch = errors.New("the stripe's data differs from its CRC")

// settle makes a stripe's missing data cells in a buffer that it gives, and compares the data with the record's CRC.
func (g *gather) settle(s *stripe) (spare []byte, err error) {
	policy := g.block.policy
	var want []int
	for index := range policy.K {
		if s.cells[index] == nil && policy.CellLength(index, s.length) > 0 {
			want = append(want, index)
		}
	}
	if len(want) > 0 {
		size := policy.CellLength(0, s.length)
		spare = g.block.buffers.take(size * len(want))
		for i, index := range want {
			s.cells[index] = spare[i*size : i*size : (i+1)*size]
		}
		if err := g.block.source.Reconstruct(policy, s.cells, s.length, want); err != nil {
			return spare, fmt.Errorf("reconstruct cells %v: %w", want, err)
		}
	}
	return spare, g.compare(s)
}

func (g *gather) compare(s *stripe) error {
	policy, crc := g.block.policy, uint32(0)
	for index, cell := range s.cells[:policy.K] {
		if len(cell) != policy.CellLength(index, s.length) {
			return fmt.Errorf("reconstruct cell %d: %d bytes, not %d", index, len(cell), policy.CellLength(index, s.length))
		}
		crc = schemas.ExtendCRC(crc, cell)
	}
	if want := g.block.record.StripeCRC(s.number); crc != want {
		return fmt.Errorf("%w: %08x, not %08x", errMismatch, crc, want)
	}
	return nil
}

// lost describes a stripe that cannot be had: each index that has no cell, with what every shard of it answered.
func (g *gather) lost(s *stripe, reason string) *LostError {
	e := &LostError{Path: g.block.path, Block: g.block.id, Stripe: s.number, Policy: g.block.policy, Have: s.have, Reason: reason}
	named := make([]bool, g.block.policy.N())
	for _, f := range s.faults {
		m := f.shard.meta
		named[m.Index] = true
		e.Faults = append(e.Faults, Fault{Index: int(m.Index), Target: m.Target, Incarnation: m.Incarnation, Reason: f.reason})
	}
	for index := range named {
		there := reason != "" || s.cells[index] != nil || g.block.cell(s.number, index) == 0
		if !named[index] && !there {
			e.Faults = append(e.Faults, Fault{Index: index, Reason: errNoShard})
		}
	}
	slices.SortStableFunc(e.Faults, func(a, b Fault) int { return a.Index - b.Index })
	return e
}

var errNoShard = errors.New("no shard has a receipt for it")
