package reader

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"stripeline/processors/erasure"
	"stripeline/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is a file in shards on directories, as a store would have left it.
type cluster struct {
	t       testing.TB
	policy  schemas.Policy
	dirs    map[schemas.TargetID]string
	targets []schemas.TargetID
	data    []byte
	coder   *erasure.Coder

	mu     sync.Mutex
	blocks map[schemas.BlockID]*schemas.Block
	order  []schemas.BlockID
	entry  schemas.Entry
	damage []Damage

	reads  sync.Map // index -> *atomic.Int64 bytes asked for
	wrap   func(schemas.Shard, ShardFile) ShardFile
	opened atomic.Int64 // shard files open now
}

// pattern is the generator of HDFS's striped tests: byte(pos) = pos mod 29 + 1, with the position's higher bits mixed
// in so that no two stripes are alike.
func pattern(length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i%29+1) ^ byte(i>>12)*7
	}
	return b
}

// build writes a file of the data, each block with the stripe lengths that cut gives for the bytes that are left.
func build(t testing.TB, policy string, data []byte, cut func(block, left int) []int) *cluster {
	t.Helper()
	p, err := schemas.ParsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, policy: p, data: data, coder: erasure.New(), dirs: make(map[schemas.TargetID]string),
		blocks: make(map[schemas.BlockID]*schemas.Block)}
	t.Cleanup(func() {
		if n := c.opened.Load(); n != 0 {
			t.Errorf("%d shard files are open behind Close", n)
		}
	})
	for range p.N() {
		id := schemas.NewTargetID()
		c.targets = append(c.targets, id)
		c.dirs[id] = t.TempDir()
	}
	file := schemas.NewFileID()
	c.entry = schemas.Entry{Path: "/v/file", Version: 7, File: file, Policy: policy, Length: int64(len(data)), CRC: schemas.CRC(data)}
	for at, n := 0, 0; at < len(data); n++ {
		lengths := cut(n, len(data)-at)
		at += c.block(file.Block(uint32(n)), at, lengths)
	}
	c.entry.Extents = c.extents()
	return c
}

// whole cuts blocks of a number of full stripes.
func whole(policy string, stripes int) func(int, int) []int {
	p, _ := schemas.ParsePolicy(policy)
	return func(_, left int) (lengths []int) {
		for len(lengths) < stripes && left > 0 {
			n := min(left, p.Stripe())
			lengths = append(lengths, n)
			left -= n
		}
		return lengths
	}
}

func (c *cluster) extents() []schemas.Extent {
	if len(c.order) == 0 {
		return nil
	}
	return []schemas.Extent{{Block: c.order[0], Blocks: int32(len(c.order)), Length: int64(len(c.data))}}
}

func (c *cluster) block(id schemas.BlockID, at int, lengths []int) int {
	b := &schemas.Block{ID: id, Generation: 5, Policy: c.policy.String(), State: schemas.BlockSealed, Offset: int64(at),
		Stored: int32(len(lengths)), Full: int32(len(lengths)), FileLength: -1}
	start := at
	for _, n := range lengths {
		b.Runs = addRun(b.Runs, int32(n))
		b.CRCs = fmt.Appendf(b.CRCs, "%s", be(schemas.CRC(c.data[at:at+n])))
		at += n
	}
	b.Length, b.CRC = int64(at-start), schemas.CRC(c.data[start:at])
	for index := range c.policy.N() {
		b.Shards = append(b.Shards, schemas.Shard{Index: int32(index), Target: c.targets[index], Domain: fmt.Sprint(index),
			Incarnation: schemas.NewIncarnation(), Ranges: []schemas.Range{{First: 0, Last: b.Stored - 1}}, State: schemas.ShardKeep})
	}
	c.blocks[id] = b
	c.order = append(c.order, id)
	for _, s := range b.Shards {
		c.write(b, s)
	}
	return at - start
}

func addRun(runs []schemas.Run, length int32) []schemas.Run {
	if n := len(runs); n > 0 && runs[n-1].Length == length {
		runs[n-1].Count++
		return runs
	}
	return append(runs, schemas.Run{Length: length, Count: 1})
}

func be(n uint32) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

func (c *cluster) path(b schemas.BlockID, s schemas.Shard) string {
	return filepath.Join(c.dirs[s.Target], b.String()[:2], fmt.Sprintf("%s-%d-%s.shard", b, s.Index, s.Incarnation))
}

// write writes the shard's file from its first range's beginning to its last range's end, and the close frame.
func (c *cluster) write(b *schemas.Block, s schemas.Shard) {
	h := schemas.ShardHeader{Block: b.ID, Generation: b.Generation, Index: int(s.Index), Incarnation: s.Incarnation, Policy: b.Policy}
	if s.Ranges[0].First == 0 {
		h.Path, h.Metadata = c.entry.Path, map[string]string{"k": "v"}
	}
	out := schemas.AppendShardHeader(nil, &h)
	at := int(b.Offset)
	for stripe := range b.Stored {
		n := int(b.StripeLength(stripe))
		if stripe >= s.Ranges[0].First && stripe <= s.Ranges[len(s.Ranges)-1].Last {
			out = c.frame(out, b, int(s.Index), stripe, at, nil)
		}
		at += n
	}
	end := schemas.Frame{Kind: schemas.FrameClose, Index: int(s.Index), Block: b.ID, Generation: b.Generation, Stripe: b.Stored,
		Offset: int64(at), FileLength: -1}
	c.save(c.path(b.ID, s), schemas.AppendFrame(out, &end))
}

func (c *cluster) frame(out []byte, b *schemas.Block, index int, stripe int32, at int, change func(*schemas.Frame, []byte)) []byte {
	n := int(b.StripeLength(stripe))
	payload := c.data[at : at+n]
	p := schemas.Packet{Kind: schemas.PacketData, Block: b.ID, Generation: b.Generation, Policy: b.Policy, Stripe: stripe,
		Payload: payload, Checksums: schemas.AppendSums(nil, payload)}
	err := c.coder.Stage(p, func(s schemas.Stripe) {
		defer s.Release()
		if len(s.Cells[index]) == 0 {
			return
		}
		cell := slices.Clone(s.Cells[index])
		f := schemas.Frame{Kind: schemas.FrameCell, Index: index, Block: b.ID, Generation: b.Generation, Stripe: stripe,
			StripeLength: int32(n), CellLength: int32(len(cell)), Offset: int64(at), FileLength: -1, CRC: schemas.CRC(payload)}
		if change != nil {
			change(&f, cell)
		}
		f.Sums = schemas.AppendSums(nil, cell)
		out = append(schemas.AppendFrame(out, &f), cell...)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

func (c *cluster) save(path string, b []byte) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) open(t testing.TB) *File {
	t.Helper()
	f, err := Open(t.Context(), c.source(), c.entry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// lose removes the files of an index in all blocks, kept so that back restores them.
func (c *cluster) lose(indexes ...int) (back func()) {
	var restore []func()
	for _, b := range c.blocks {
		for _, s := range b.Shards {
			path := c.path(b.ID, s)
			if !slices.Contains(indexes, int(s.Index)) {
				continue
			}
			if os.Rename(path, path+".away") == nil {
				restore = append(restore, func() { _ = os.Rename(path+".away", path) })
			}
		}
	}
	return func() {
		for _, f := range restore {
			f()
		}
	}
}

// edit changes a shard file's bytes in place.
func (c *cluster) edit(block, index int, change func([]byte) []byte) (back func()) {
	c.t.Helper()
	b := c.blocks[c.order[block]]
	path := c.path(b.ID, b.Shards[index])
	old, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	c.save(path, change(slices.Clone(old)))
	return func() { c.save(path, old) }
}

func readAll(f *File) ([]byte, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(struct{ io.Reader }{f})
}
