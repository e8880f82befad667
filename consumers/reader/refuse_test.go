package reader

import (
	"context"
	"errors"
	"io"
	"testing"

	"stripeline/schemas"
)

// TestBlocksThatAreNotReadable has records of every other state, and entries that contradict them.
func TestBlocksThatAreNotReadable(t *testing.T) {
	const policy = "RS-3-2-4k"
	for name, test := range map[string]struct {
		change func(*cluster, *schemas.Block)
		want   error
	}{
		"open":          {func(_ *cluster, b *schemas.Block) { b.State = schemas.BlockOpen }, ErrIncomplete},
		"deleted":       {func(_ *cluster, b *schemas.Block) { b.State = schemas.BlockDeleted }, ErrReplaced},
		"no record":     {func(c *cluster, b *schemas.Block) { delete(c.blocks, b.ID) }, ErrReplaced},
		"other length":  {func(_ *cluster, b *schemas.Block) { b.Length++ }, ErrDisagree},
		"fewer sums":    {func(_ *cluster, b *schemas.Block) { b.CRCs = b.CRCs[4:] }, ErrDisagree},
		"zero stripe":   {func(_ *cluster, b *schemas.Block) { b.Runs[0].Length = 0 }, ErrDisagree},
		"wide stripe":   {func(_ *cluster, b *schemas.Block) { b.Runs[0].Length = 1 << 20 }, ErrDisagree},
		"bad policy":    {func(_ *cluster, b *schemas.Block) { b.Policy = "RS" }, schemas.ErrBadPolicy},
		"other block":   {func(_ *cluster, b *schemas.Block) { b.ID[0]++ }, ErrDisagree},
		"long extent":   {func(c *cluster, _ *schemas.Block) { c.entry.Extents[0].Length++; c.entry.Length++ }, ErrDisagree},
		"no shards":     {func(_ *cluster, b *schemas.Block) { b.Shards = nil }, ErrLost},
		"all removed":   {func(_ *cluster, b *schemas.Block) { removeAll(b) }, ErrLost},
		"no such shard": {func(_ *cluster, b *schemas.Block) { b.Shards = b.Shards[1:3] }, ErrLost},
	} {
		for _, blocks := range []int{1, 2} {
			c := build(t, policy, pattern(blocks*2*3*4096), whole(policy, 2))
			test.change(c, c.blocks[c.order[0]])
			f := c.open(t)
			if n, err := f.Read(make([]byte, 10)); n != 0 || !errors.Is(err, test.want) {
				t.Errorf("%s: read %d bytes, %v", name, n, err)
			}
			if n, err := f.ReadAt(make([]byte, 10), 5); n != 0 || !errors.Is(err, test.want) {
				t.Errorf("%s: pread %d bytes, %v", name, n, err)
			}
		}
	}
}

func removeAll(b *schemas.Block) {
	for i := range b.Shards {
		b.Shards[i].State = schemas.ShardRemoved
	}
}

func TestOpenRefuses(t *testing.T) {
	good := schemas.Extent{Length: 10, Blocks: 1}
	for name, test := range map[string]struct {
		entry schemas.Entry
		want  error
	}{
		"never committed": {schemas.Entry{Path: "/a"}, ErrIncomplete},
		"too short":       {schemas.Entry{Version: 1, Length: 11, Extents: []schemas.Extent{good}}, ErrDisagree},
		"gap":             {schemas.Entry{Version: 1, Length: 20, Extents: []schemas.Extent{good, {Offset: 11, Length: 9, Blocks: 1}}}, ErrDisagree},
		"no blocks":       {schemas.Entry{Version: 1, Length: 10, Extents: []schemas.Extent{{Length: 10}}}, ErrDisagree},
		"no length":       {schemas.Entry{Version: 1, Extents: []schemas.Extent{{Blocks: 1}}}, ErrDisagree},
	} {
		if _, err := Open(context.Background(), Source{}, test.entry); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteToComparesTheWhole(t *testing.T) {
	c := build(t, "RS-3-2-4k", pattern(50000), whole("RS-3-2-4k", 2))
	c.entry.CRC++
	if _, err := c.open(t).WriteTo(io.Discard); !errors.Is(err, ErrChecksum) {
		t.Fatal(err)
	}
}
