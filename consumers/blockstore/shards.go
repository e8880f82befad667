package blockstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"stripeline/schemas"
)

// ShardInfo is what a shard file on a target says of itself. Its cells are not checked.
type ShardInfo struct {
	Target schemas.TargetID
	Dir    string // the target's directory, for OpenShard
	Domain string
	Header schemas.ShardHeader
	First  int32 // the first stripe
	Last   int32 // the last stripe; less than First when there is none
	Closed bool  // there is a close frame
}

// Shards iterates over the shard files of all targets, in order of target and block. An error belongs to one file, or
// to one target; the iteration goes on. It stops early when ctx ends.
func (s *Store) Shards(ctx context.Context) iter.Seq2[ShardInfo, error] {
	return func(yield func(ShardInfo, error) bool) {
		for _, t := range s.targets {
			if !t.shards(ctx, yield) {
				return
			}
		}
	}
}

// shards gives false when the iteration is over.
func (t *target) shards(ctx context.Context, yield func(ShardInfo, error) bool) bool {
	dirs, err := os.ReadDir(t.dir)
	if err != nil && !yield(ShardInfo{Target: t.id, Dir: t.dir}, fmt.Errorf("list shards: %w", err)) {
		return false
	}
	for _, dir := range dirs {
		if !dir.IsDir() || len(dir.Name()) != 2 {
			continue
		}
		names, err := os.ReadDir(filepath.Join(t.dir, dir.Name()))
		if err != nil && !yield(ShardInfo{Target: t.id, Dir: t.dir}, fmt.Errorf("list shards: %w", err)) {
			return false
		}
		for _, name := range names {
			block, index, incarnation, ok := parseName(name.Name())
			if !ok || !strings.HasPrefix(name.Name(), dir.Name()) {
				continue
			}
			if ctx.Err() != nil {
				return false
			}
			info, err := t.inspect(schemas.ShardHeader{Block: block, Index: index, Incarnation: incarnation})
			if !errors.Is(err, ErrNoShard) && !yield(info, err) {
				return false
			}
		}
	}
	return true
}

// inspect walks over the frame headers of a shard.
func (t *target) inspect(h schemas.ShardHeader) (ShardInfo, error) {
	info := ShardInfo{Target: t.id, Dir: t.dir, Domain: t.domain, Header: h, First: 0, Last: -1}
	file, err := OpenShard(t.dir, h.Block, int32(h.Index), h.Incarnation)
	if err != nil {
		return info, err
	}
	defer file.Close()
	info.Header = file.Header
	for {
		f, err := file.walk.head()
		if errors.Is(err, io.EOF) {
			return info, nil
		}
		if err != nil {
			return info, fmt.Errorf("walk shard %s: %w", file.file.Name(), err)
		}
		switch {
		case f.Kind == schemas.FrameClose:
			info.Closed = true
		case info.Last < info.First:
			info.First, info.Last = f.Stripe, f.Stripe
		default:
			info.Last = f.Stripe
		}
		file.walk.skip(&f)
	}
}

// Remove removes a shard of a block, because the block's record says drop or deleted, and gives the REMOVED ack once
// that is durable; also when the file is gone already. The rule of waiting for 10 minutes is the caller's. The shard
// must name a target of this store, else the error is ErrNoTarget; ErrSick is a target that does not work now.
func (s *Store) Remove(ctx context.Context, block schemas.BlockID, shard schemas.Shard) (schemas.Ack, error) {
	t := s.byID[shard.Target]
	if t == nil {
		return schemas.Ack{}, fmt.Errorf("remove shard of block %s on target %s: %w", block, shard.Target, ErrNoTarget)
	}
	if err := ctx.Err(); err != nil {
		return schemas.Ack{}, err
	}
	for _, k := range s.open() {
		k.abandon(block, shard.Incarnation)
	}
	path := ShardPath(t.dir, block, shard.Index, shard.Incarnation)
	err := t.do(func() error {
		if err := t.present(); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err := t.disk.Remove(strings.TrimSuffix(path, ".shard") + ".bad"); err != nil {
			return err
		}
		return t.disk.Remove(path)
	})
	if err != nil {
		return schemas.Ack{}, fmt.Errorf("remove shard %s: %w", path, err)
	}
	return schemas.Ack{Kind: schemas.AckRemoved, Block: block, Offset: -1, First: -1, Stripes: -1, FileLength: -1,
		Receipts: []schemas.Receipt{{Index: shard.Index, Target: t.id, Domain: t.domain, Incarnation: shard.Incarnation,
			First: 0, Last: schemas.MaxStripes - 1}}}, nil
}

// abandon makes the sink write nothing more to a shard that is going to be removed.
func (k *Sink) abandon(block schemas.BlockID, incarnation schemas.Incarnation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.blocks[block]
	if b == nil {
		return
	}
	for _, shards := range b.shards {
		for _, s := range shards {
			if s.header.Incarnation == incarnation {
				s.failed, s.entries = ErrNoShard, nil
			}
		}
	}
}
