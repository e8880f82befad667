package reader

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stripeline/schemas"
)

// TestNoWrongByteEver damages any number of shards in any way: what is handed out is right, and a read fails with
// ErrLost only when some stripe has more than m cells that are not as written.
func TestNoWrongByteEver(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		policy := rapid.SampledFrom([]string{"RS-3-2-4k", "RS-2-2-4k", "XOR-2-1-4k", "REP-3"}).Draw(r, "policy")
		p, _ := schemas.ParsePolicy(policy)
		p.Cell = min(p.Cell, 4*4096)
		unit := p.K * p.Cell
		data := pattern(rapid.IntRange(1, 6*unit).Draw(r, "length"))
		c := build(t, policy, data, func(_, left int) (lengths []int) {
			for left > 0 && len(lengths) < 4 {
				n := rapid.IntRange(1, min(left, unit)).Draw(r, "stripe")
				lengths = append(lengths, n)
				left -= n
			}
			return lengths
		})
		broken := c.mutilate(r)
		f, err := Open(t.Context(), c.source(), c.entry)
		if err != nil {
			r.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		c.judge(r, broken, 0, func() ([]byte, error) { return readAll(f) })
		off := rapid.IntRange(0, len(data)-1).Draw(r, "offset")
		c.judge(r, broken, off, func() ([]byte, error) {
			b := make([]byte, rapid.IntRange(1, len(data)).Draw(r, "count"))
			n, err := f.ReadAt(b, int64(off))
			if err == io.EOF {
				err = nil
			}
			return b[:n], err
		})
	})
}

func (c *cluster) judge(r *rapid.T, broken bool, off int, read func() ([]byte, error)) {
	got, err := read()
	if !bytes.Equal(got, c.data[off:off+len(got)]) {
		r.Fatalf("wrong bytes from %d on", off)
	}
	if err != nil && (!errors.Is(err, ErrLost) || !broken) {
		r.Fatalf("at %d: %v", off, err)
	}
}

// mutilate damages shard files and says whether a stripe may have lost more than m cells: a flipped bit in a frame
// costs that frame, anything else the whole shard, as far as this test counts.
func (c *cluster) mutilate(r *rapid.T) bool {
	hurt := make(map[schemas.BlockID]map[int]bool)
	for range rapid.IntRange(0, c.policy.M+2).Draw(r, "wounds") {
		b := c.blocks[rapid.SampledFrom(c.order).Draw(r, "block")]
		index := rapid.IntRange(0, c.policy.N()-1).Draw(r, "index")
		path := c.path(b.ID, b.Shards[index])
		old, err := os.ReadFile(path)
		if err != nil || len(old) == 0 {
			continue
		}
		at := rapid.IntRange(0, len(old)-1).Draw(r, "at")
		switch rapid.SampledFrom([]string{"flip", "cut", "zero", "remove", "swap", "insert"}).Draw(r, "wound") {
		case "flip":
			old[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		case "cut":
			old = old[:at]
		case "zero":
			clear(old[at:min(len(old), at+5000)])
		case "remove":
			old = nil
		case "swap":
			other := b.Shards[(index+1)%c.policy.N()]
			if old, err = os.ReadFile(c.path(b.ID, other)); err != nil {
				old = nil
			}
		case "insert":
			old = slices.Insert(old, at, 0xAA)
		}
		if old == nil {
			_ = os.Remove(path)
		} else {
			c.save(path, old)
		}
		if hurt[b.ID] == nil {
			hurt[b.ID] = make(map[int]bool)
		}
		hurt[b.ID][index] = true
	}
	for _, indexes := range hurt {
		if len(indexes) > c.policy.M {
			return true
		}
	}
	return false
}
