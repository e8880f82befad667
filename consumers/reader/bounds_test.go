package reader

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"
	"testing"

	"stripeline/schemas"
)

// TestAShardWithoutFramesIsNotReadAgainAndAgain reads many batches with one shard cut behind its header.
func TestAShardWithoutFramesIsNotReadAgainAndAgain(t *testing.T) {
	const policy = "RS-3-2-64k"
	p, _ := schemas.ParsePolicy(policy)
	c := build(t, policy, pattern(100*p.Stripe()), whole(policy, 100))
	at, size := c.frameAt(0, 1, 0)
	c.edit(0, 1, func(b []byte) []byte { return b[:at] })
	if _, err := c.open(t).WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	if most := int64(40 * size); c.asked(1) > most {
		t.Errorf("%d bytes were asked of a shard that has none, at most %d expected", c.asked(1), most)
	}
	if n := len(c.damage); n == 0 || n > 40 {
		t.Errorf("%d damages reported", n)
	}
}

// TestOpenFilesAreBounded reads a file of 30 blocks and counts the shard files that are open at once.
func TestOpenFilesAreBounded(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(60*3*4096), whole(policy, 2))
	var most atomic.Int64
	c.wrap = func(_ schemas.Shard, f ShardFile) ShardFile {
		for n := c.opened.Load(); ; {
			if old := most.Load(); old >= n || most.CompareAndSwap(old, n) {
				return f
			}
		}
	}
	f := c.open(t)
	for range 2 {
		got, err := readAll(f)
		if err != nil || !bytes.Equal(got, c.data) {
			t.Fatal(err)
		}
		for off := range len(c.data) / 10000 {
			comparePread(t, c, f, int64(off*10000), 100)
		}
	}
	if limit := int64((openBlocks + 1) * c.policy.N()); most.Load() > limit {
		t.Errorf("%d shard files were open, at most %d expected", most.Load(), limit)
	}
}

// TestStripesBehindTheStored has a record that knows more stripes than the block was closed with.
func TestStripesBehindTheStored(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(6*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	b.Runs = []schemas.Run{{Length: 3 * 4096, Count: 8}, {Length: 0, Count: 2}, {Length: 10, Count: 1}}
	b.CRCs = append(b.CRCs, make([]byte, 5*4)...)
	expectWhole(t, c, "late stripes", -1)
}

// TestShardHeadersOfAnySize has metadata that fills several pages before the first frame.
func TestShardHeadersOfAnySize(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(3*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	for _, size := range []int{0, 1700, 1900, 1990, 2048, 5000, 60000} {
		for index := range c.policy.N() {
			path := c.path(b.ID, b.Shards[index])
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			h, end, err := schemas.ParseShardHeader(file)
			if err != nil {
				t.Fatal(err)
			}
			h.Metadata = map[string]string{"note": string(bytes.Repeat([]byte("x"), size))}
			c.save(path, append(schemas.AppendShardHeader(nil, &h), file[end:]...))
		}
		expectWhole(t, c, "large header", -1)
		if len(c.damage) > 0 {
			t.Fatalf("metadata of %d bytes: damage %v", size, c.damage[0].Reason)
		}
	}
}
