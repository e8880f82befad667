package reader

import (
	"context"
	"slices"
	"sync/atomic"

	"stripeline/schemas"
)

// source reads from the cluster's directories.
func (c *cluster) source() Source {
	byDir := make(map[string]schemas.TargetID)
	var dirs []string
	for id, dir := range c.dirs {
		byDir[dir] = id
		dirs = append(dirs, dir)
	}
	open := Local(func(dir string) (schemas.TargetID, error) { return byDir[dir], nil }, dirs...)
	return Source{
		Block: func(_ context.Context, id schemas.BlockID) (schemas.Block, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			b, ok := c.blocks[id]
			if !ok {
				return schemas.Block{}, ErrReplaced
			}
			copied := *b
			copied.Shards = slices.Clone(b.Shards)
			return copied, nil
		},
		Shard: func(ctx context.Context, b schemas.BlockID, s schemas.Shard) (ShardFile, error) {
			f, err := open(ctx, b, s)
			if err != nil {
				return nil, err
			}
			c.opened.Add(1)
			counter, _ := c.reads.LoadOrStore(s.Index, new(atomic.Int64))
			var file ShardFile = &counted{f, counter.(*atomic.Int64), &c.opened}
			if c.wrap != nil {
				file = c.wrap(s, file)
			}
			return file, nil
		},
		Reconstruct: c.coder.Reconstruct,
		Options: Options{Damage: func(d Damage) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.damage = append(c.damage, d)
		}},
	}
}

type counted struct {
	ShardFile
	asked  *atomic.Int64
	opened *atomic.Int64
}

func (f *counted) ReadAt(p []byte, off int64) (int, error) {
	f.asked.Add(int64(len(p)))
	return f.ShardFile.ReadAt(p, off)
}

func (f *counted) Close() error {
	f.opened.Add(-1)
	return f.ShardFile.Close()
}

func (c *cluster) asked(index int) int64 {
	if n, ok := c.reads.Load(int32(index)); ok {
		return n.(*atomic.Int64).Load()
	}
	return 0
}
