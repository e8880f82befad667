package reader

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"testing"

	"stripeline/schemas"
)

// lengths of HDFS's TestDFSStripedOutputStream: c cell, s stripe, b block of 4 stripes.
func lengths(p schemas.Policy) []int {
	c, s := p.Cell, p.Stripe()
	b := 4 * s
	return []int{0, 1, c - 1, c, s - 1, c + 123, s, s + 123, 2*s + 123, 3*s + c, b - 123, b, b + 123, b + c + 123, 3*b + s + c + 123}
}

func TestReadsGiveWhatWasWritten(t *testing.T) {
	for _, policy := range []string{"RS-3-2-4k", "RS-6-3-4k", "XOR-2-1-4k", "REP-3", "RS-10-4-8k"} {
		p, _ := schemas.ParsePolicy(policy)
		for _, length := range lengths(p) {
			t.Run(fmt.Sprint(policy, length), func(t *testing.T) {
				c := build(t, policy, pattern(length), whole(policy, 4))
				compareReads(t, c)
				c.lose(1)
				compareReads(t, c)
			})
		}
	}
}

func compareReads(t *testing.T, c *cluster) {
	t.Helper()
	f := c.open(t)
	size := int64(len(c.data))
	if f.Size() != size {
		t.Fatalf("size %d", f.Size())
	}
	cell, stripe, block := int64(c.policy.Cell), int64(c.policy.Stripe()), int64(4*c.policy.Stripe())
	offsets := []int64{0, 1, cell - 102, cell, cell + 102, cell * int64(c.policy.K-1), cell*int64(c.policy.K-1) + 102, stripe, stripe + 102,
		block - 102, block, block + 102, size / 2, size - 102, size - 1, size, size + 1}
	for _, off := range offsets {
		for _, n := range []int64{1, 1024, cell, 3*stripe + 7, size + 100} {
			comparePread(t, c, f, off, n)
		}
	}
	for _, buffer := range []int{max(1024, len(c.data)/100), len(c.data) + 100} {
		for _, seek := range []int64{0, size / 2, size / 3, 0, cell - 1, stripe - 1, block - 1} {
			compareStream(t, c, f, seek, buffer)
		}
	}
	var out bytes.Buffer
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteTo(&out); err != nil || n != size || !bytes.Equal(out.Bytes(), c.data) {
		t.Fatalf("WriteTo: %d bytes, %v, equal %v", n, err, bytes.Equal(out.Bytes(), c.data))
	}
	for _, bad := range []int64{-1, -size - 2} {
		if _, err := f.Seek(bad, io.SeekStart); err == nil {
			t.Errorf("seek to %d: no error", bad)
		}
		if _, err := f.ReadAt(make([]byte, 1), bad); err == nil {
			t.Errorf("pread at %d: no error", bad)
		}
	}
}

func comparePread(t *testing.T, c *cluster, f *File, off, n int64) {
	t.Helper()
	if off < 0 {
		return
	}
	p := make([]byte, n)
	got, err := f.ReadAt(p, off)
	want := c.data[min(off, int64(len(c.data))):min(off+n, int64(len(c.data)))]
	if got != len(want) || !bytes.Equal(p[:got], want) {
		t.Fatalf("pread of %d at %d: %d bytes of %d, %v", n, off, got, len(want), err)
	}
	if (got < int(n)) != errors.Is(err, io.EOF) || err != nil && err != io.EOF {
		t.Fatalf("pread of %d at %d: %d bytes, error %v", n, off, got, err)
	}
}

func compareStream(t *testing.T, c *cluster, f *File, seek int64, buffer int) {
	t.Helper()
	if seek < 0 || seek > int64(len(c.data)) {
		return
	}
	if _, err := f.Seek(seek, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := io.CopyBuffer(struct{ io.Writer }{&out}, struct{ io.Reader }{f}, make([]byte, buffer)); err != nil {
		t.Fatalf("read from %d: %v", seek, err)
	}
	if !bytes.Equal(out.Bytes(), c.data[seek:]) {
		t.Fatalf("read from %d with %d: %d bytes differ", seek, buffer, out.Len())
	}
	if pos, err := f.Seek(0, io.SeekCurrent); pos != int64(len(c.data)) || err != nil {
		t.Fatalf("position %d, %v", pos, err)
	}
}

// TestShortStripesAnywhere reads blocks with syncs in the middle: stripes of any length, empty cells in the middle of
// a shard.
func TestShortStripesAnywhere(t *testing.T) {
	const policy = "RS-3-2-4k"
	p, _ := schemas.ParsePolicy(policy)
	random := rand.New(rand.NewSource(1))
	c := build(t, policy, pattern(40*p.Stripe()), func(_, left int) (lengths []int) {
		for left > 0 && len(lengths) < 20 {
			n := min(left, []int{1, 10, 4096, 4097, 8192, p.Stripe() - 1, p.Stripe()}[random.Intn(7)])
			lengths = append(lengths, n)
			left -= n
		}
		return lengths
	})
	for _, gone := range [][]int{{}, {0}, {1, 2}, {0, 4}, {3, 4}} {
		back := c.lose(gone...)
		f := c.open(t)
		got, err := readAll(f)
		if err != nil || !bytes.Equal(got, c.data) {
			t.Fatalf("without %v: %v", gone, err)
		}
		for range 200 {
			off := random.Int63n(int64(len(c.data)))
			comparePread(t, c, f, off, random.Int63n(int64(2*p.Stripe())))
		}
		back()
	}
}

// TestEveryErasurePattern reads with every choice of up to m indexes gone, two blocks and a partial last stripe.
func TestEveryErasurePattern(t *testing.T) {
	for _, policy := range []string{"RS-3-2-4k", "RS-6-3-4k", "XOR-2-1-4k"} {
		p, _ := schemas.ParsePolicy(policy)
		for _, length := range []int{4*p.Stripe() - 123, 4*p.Stripe() + 123} {
			c := build(t, policy, pattern(length), whole(policy, 4))
			for count := 1; count <= p.M; count++ {
				combinations(p.N(), count, func(gone []int) bool {
					back := c.lose(gone...)
					f := c.open(t)
					got, err := readAll(f)
					if err != nil || !bytes.Equal(got, c.data) {
						t.Errorf("%s, %d bytes without %v: %v", policy, length, gone, err)
					}
					comparePread(t, c, f, int64(p.Cell-5), 10)
					_ = f.Close()
					back()
					return true
				})
			}
		}
	}
}

func TestPreadAsksForNoMoreThanItNeeds(t *testing.T) {
	const policy = "RS-6-3-64k"
	p, _ := schemas.ParsePolicy(policy)
	c := build(t, policy, pattern(19*p.Cell+100), whole(policy, 8))
	f := c.open(t)
	comparePread(t, c, f, 0, 1) // opens block and shard
	header := int64(schemas.FrameHeaderSize(p.Cell))
	for _, test := range []struct {
		off, n int64
		want   map[int]int64
	}{
		{0, 1, map[int]int64{0: header + 4096}},
		{4095, 2, map[int]int64{0: header + 8192}},
		{int64(p.Cell) - 1, 1, map[int]int64{0: header + 4096}},
		{int64(18*p.Cell) + 5, 10, map[int]int64{0: header + 4096}},
		{int64(6 * p.Cell), int64(p.Cell), map[int]int64{0: header + int64(p.Cell)}},
	} {
		before := make(map[int]int64)
		for i := range p.N() {
			before[i] = c.asked(i)
		}
		comparePread(t, c, f, test.off, test.n)
		for i := range p.N() {
			if got := c.asked(i) - before[i]; got != test.want[i] {
				t.Errorf("pread of %d at %d asked index %d for %d bytes, want %d", test.n, test.off, i, got, test.want[i])
			}
		}
	}
	for i := p.K; i < p.N(); i++ {
		if c.asked(i) != 0 {
			t.Errorf("parity %d was read", i)
		}
	}
}

func TestHealthyStreamReadsNoParityAndEachByteOnce(t *testing.T) {
	const policy = "RS-6-3-64k"
	p, _ := schemas.ParsePolicy(policy)
	c := build(t, policy, pattern(40*p.Stripe()), whole(policy, 40))
	f := c.open(t)
	if _, err := f.WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	frames := int64(40 * (p.Cell + schemas.FrameHeaderSize(p.Cell)))
	for i := range p.N() {
		switch got := c.asked(i); {
		case i >= p.K && got != 0:
			t.Errorf("parity %d: %d bytes", i, got)
		case i < p.K && (got < frames || got > frames+4096):
			t.Errorf("index %d: %d bytes of %d", i, got, frames)
		}
	}
	if len(c.damage) > 0 {
		t.Errorf("damage: %+v", c.damage)
	}
}

func TestExtentsOfAllKinds(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(100000), whole(policy, 2))
	var extents []schemas.Extent
	var at int64
	for i, id := range c.order {
		n := c.blocks[id].Length
		switch i {
		case 0: // an append of a piece that begins inside a block
			extents = append(extents, schemas.Extent{Offset: 0, Block: id, Blocks: 1, BlockOffset: 5000, Length: n - 5000})
			at = n - 5000
		case 2, 3:
			extents[len(extents)-1].Blocks++
			extents[len(extents)-1].Length += n
			at += n
		default:
			extents = append(extents, schemas.Extent{Offset: at, Block: id, Blocks: 1, Length: n})
			at += n
		}
	}
	c.data = c.data[5000:]
	c.entry.Extents, c.entry.Length, c.entry.CRC = extents, at, schemas.CRC(c.data)
	compareReads(t, c)
}
