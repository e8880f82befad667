package reader

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"stripeline/schemas"
)

// TestIncarnationsOfOneIndex has index 1 in three files: stripes 0 to 1, 2 to 3 and, made by repair, 1 to 4.
func TestIncarnationsOfOneIndex(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(6*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	c.lose(1)
	add := func(first, last int32) int {
		s := b.Shards[1]
		s.State = schemas.ShardKeep
		s.Incarnation, s.Ranges = schemas.NewIncarnation(), []schemas.Range{{First: first, Last: last}}
		b.Shards = append(b.Shards, s)
		c.write(b, s)
		return len(b.Shards) - 1
	}
	b.Shards[1].State = schemas.ShardRemoved
	add(0, 1)
	middle := add(2, 3)
	add(1, 4)
	add(5, 5)
	f := c.open(t)
	got, err := readAll(f)
	if err != nil || !bytes.Equal(got, c.data) || c.asked(3)+c.asked(4) > 0 {
		t.Fatalf("read: %v, %d bytes of parity", err, c.asked(3)+c.asked(4))
	}
	if err := os.Remove(c.path(b.ID, b.Shards[middle])); err != nil {
		t.Fatal(err)
	}
	expectWhole(t, c, "another incarnation has the stripes", 1)
	if c.asked(3)+c.asked(4) > 0 {
		t.Errorf("%d bytes of parity were read although another incarnation has the stripes", c.asked(3)+c.asked(4))
	}
}

// TestAnotherIncarnationsFile has a file of the right index under the name of another incarnation.
func TestAnotherIncarnationsFile(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(6*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	old := c.path(b.ID, b.Shards[1])
	b.Shards[1].Incarnation = schemas.NewIncarnation()
	if err := os.Rename(old, c.path(b.ID, b.Shards[1])); err != nil {
		t.Fatal(err)
	}
	expectWhole(t, c, "another incarnation", 1)
	if !errors.Is(c.damage[0].Reason, ErrStrange) || c.damage[0].Stripe != -1 {
		t.Errorf("damage %+v", c.damage)
	}
}

// TestLostFirstReceipts reads a shard whose file begins before its first receipt, and one that has a hole in its
// receipts: frames stay where they were.
func TestLostFirstReceipts(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(6*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	b.Shards[0].Ranges = []schemas.Range{{First: 2, Last: 2}, {First: 5, Last: 5}}
	expectWhole(t, c, "receipts taken back", -1)
	if len(c.damage) > 0 {
		t.Errorf("damage %+v", c.damage)
	}
	c.lose(1, 2)
	if _, err := readAll(c.open(t)); !errors.Is(err, ErrLost) {
		t.Errorf("stripes without a receipt were used: %v", err)
	}
}

// TestShardsThatMove has the file of an index go away and the block's record say where it is now.
func TestShardsThatMove(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(9*3*4096), whole(policy, 9))
	f := c.open(t)
	comparePread(t, c, f, 0, 10)
	id := c.order[0]
	b := c.blocks[id]
	moved := *b
	moved.Shards = append([]schemas.Shard(nil), b.Shards...)
	for i := range moved.Shards {
		_ = os.Remove(c.path(id, b.Shards[i]))
		moved.Shards[i].Incarnation = schemas.NewIncarnation()
		c.write(b, moved.Shards[i])
	}
	c.mu.Lock()
	c.blocks[id] = &moved
	c.mu.Unlock()
	comparePread(t, c, f, 3*3*4096+5, 4*4096)
	got, err := readAll(f)
	if err != nil || !bytes.Equal(got, c.data) {
		t.Fatal(err)
	}
	if len(c.damage) > 0 {
		t.Errorf("shards that the record has dropped are no damage: %+v", c.damage)
	}
}

// TestReplacedUnderAReader deletes the block of an open file: its bytes or ErrReplaced, never a LostError.
func TestReplacedUnderAReader(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(9*3*4096), whole(policy, 9))
	f := c.open(t)
	comparePread(t, c, f, 0, 10)
	b := c.blocks[c.order[0]]
	b.State = schemas.BlockDeleted
	comparePread(t, c, f, 4096*3, 10) // the files are still there
	c.lose(0, 1, 2, 3, 4)
	g := c.open(t)
	if _, err := readAll(g); !errors.Is(err, ErrReplaced) {
		t.Fatal(err)
	}
	_, err := f.ReadAt(make([]byte, len(c.data)), 0)
	if err != nil && !errors.Is(err, ErrReplaced) {
		t.Fatal(err)
	}
}

func TestContextEndsReads(t *testing.T) {
	c := build(t, "RS-3-2-4k", pattern(50000), whole("RS-3-2-4k", 15))
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Open(ctx, c.source(), c.entry)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("pread: %v", err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	_ = f.Close()
}

// failing gives an error for every read that touches a bad sector.
type failing struct {
	ShardFile
	at int64
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.at && f.at < off+int64(len(p)) {
		return 0, errSector
	}
	return f.ShardFile.ReadAt(p, off)
}

var errSector = errors.New("input/output error")

func TestABadSectorCostsOneFrame(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(9*3*4096), whole(policy, 9))
	at, _ := c.frameAt(0, 1, 4)
	c.wrap = func(s schemas.Shard, f ShardFile) ShardFile {
		if s.Index == 1 {
			return &failing{f, int64(at + 10)}
		}
		return f
	}
	f := c.open(t)
	var out bytes.Buffer
	if _, err := f.WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), c.data) {
		t.Fatal(err)
	}
	if len(c.damage) != 1 || c.damage[0].Stripe != 4 || !errors.Is(c.damage[0].Reason, errSector) {
		t.Errorf("damage %+v", c.damage)
	}
}

func TestPreadsInParallel(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(40*3*4096+5), whole(policy, 3))
	c.lose(1)
	f := c.open(t)
	done := make(chan error)
	for worker := range 8 {
		go func() {
			p := make([]byte, 7000)
			for off := worker * 100; off < len(c.data); off += 9000 {
				n, err := f.ReadAt(p, int64(off))
				if err == io.EOF {
					err = nil
				}
				if err == nil && !bytes.Equal(p[:n], c.data[off:off+n]) {
					err = errors.New("bytes differ")
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	got, err := readAll(f)
	if err != nil || !bytes.Equal(got, c.data) {
		t.Error(err)
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
