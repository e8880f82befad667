package reader

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"stripeline/schemas"
)

// frameAt gives where the frame of a stripe begins in a shard file as write makes it.
func (c *cluster) frameAt(block, index int, stripe int32) (at, size int) {
	b := c.blocks[c.order[block]]
	file, err := os.ReadFile(c.path(b.ID, b.Shards[index]))
	if err != nil {
		c.t.Fatal(err)
	}
	_, header, err := schemas.ParseShardHeader(file)
	if err != nil {
		c.t.Fatal(err)
	}
	g, err := newGeometry(b)
	if err != nil {
		c.t.Fatal(err)
	}
	f := g.frames(index)
	return header + int(f.offset(stripe)), int(f.offset(stripe+1) - f.offset(stripe))
}

// expectWhole reads everything, sequentially and by preads, and wants damage of the index to be reported.
func expectWhole(t *testing.T, c *cluster, what string, index int) {
	t.Helper()
	c.damage = nil
	f := c.open(t)
	defer func() { _ = f.Close() }()
	got, err := readAll(f)
	if err != nil || !bytes.Equal(got, c.data) {
		t.Fatalf("%s: read: %v, equal %v", what, err, bytes.Equal(got, c.data))
	}
	for off := 0; off < len(c.data); off += c.policy.Cell {
		comparePread(t, c, f, int64(off), 100)
	}
	if index >= 0 && !slices.ContainsFunc(c.damage, func(d Damage) bool { return int(d.Shard.Index) == index }) {
		t.Errorf("%s: damage of index %d is not among the reported: %+v", what, index, c.damage)
	}
	seen := make(map[string]bool)
	for _, d := range c.damage {
		key := fmt.Sprint(d.Shard.Incarnation, d.Stripe)
		if seen[key] {
			t.Errorf("%s: damage reported twice: %+v", what, d)
		}
		seen[key] = true
		if index >= 0 && int(d.Shard.Index) != index {
			t.Errorf("%s: damage of index %d reported", what, d.Shard.Index)
		}
	}
}

// TestEveryFieldOfAFrame flips a bit in every byte of a frame's header and in samples of its cell.
func TestEveryFieldOfAFrame(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(5*3*4096+100), whole(policy, 6))
	at, size := c.frameAt(0, 1, 2)
	header := schemas.FrameHeaderSize(4096)
	for i := 0; i < size; i++ {
		if i > header && i%500 != 0 && i != size-1 {
			continue
		}
		back := c.edit(0, 1, func(b []byte) []byte { b[at+i] ^= 1 << (i % 8); return b })
		expectWhole(t, c, fmt.Sprintf("flip at %d of the frame", i), 1)
		back()
	}
}

func TestEveryByteOfAShardHeader(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(3*3*4096+100), whole(policy, 6))
	at, _ := c.frameAt(0, 2, 0)
	for i := range at {
		back := c.edit(0, 2, func(b []byte) []byte { b[i] ^= 1 << (i % 8); return b })
		expectWhole(t, c, fmt.Sprintf("flip at %d of the shard header", i), 2)
		back()
	}
}

func TestDamagedFiles(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(2*6*3*4096+4097), whole(policy, 6))
	at, size := c.frameAt(0, 1, 2)
	other := func(block, index int) []byte {
		b := c.blocks[c.order[block]]
		file, err := os.ReadFile(c.path(b.ID, b.Shards[index]))
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	next := func(b []byte) []byte { return append(slices.Clone(b[at+size:at+2*size]), b[at+2*size:]...) }
	for name, change := range map[string]func([]byte) []byte{
		"empty":                 func([]byte) []byte { return nil },
		"cut in a cell":         func(b []byte) []byte { return b[:at+size-1] },
		"cut in a header":       func(b []byte) []byte { return b[:at+10] },
		"cut between frames":    func(b []byte) []byte { return b[:at] },
		"cut in shard header":   func(b []byte) []byte { return b[:20] },
		"frame zeroed":          func(b []byte) []byte { clear(b[at : at+size]); return b },
		"tail zeroed":           func(b []byte) []byte { clear(b[at:]); return b },
		"chunk zeroed":          func(b []byte) []byte { clear(b[at+100 : at+size]); return b },
		"all zeros":             func(b []byte) []byte { clear(b); return b },
		"frame missing":         func(b []byte) []byte { return append(b[:at], next(b)...) },
		"frame twice":           func(b []byte) []byte { return slices.Insert(b, at, slices.Clone(b[at:at+size])...) },
		"bytes inserted":        func(b []byte) []byte { return slices.Insert(b, at, 1, 2, 3) },
		"another index's shard": func([]byte) []byte { return other(0, 0) },
		"another block's shard": func([]byte) []byte { return other(1, 1) },
		"swapped frames": func(b []byte) []byte {
			first := slices.Clone(b[at : at+size])
			copy(b[at:], b[at+size:at+2*size])
			copy(b[at+size:], first)
			return b
		},
		"another index's frames": func(b []byte) []byte { copy(b[at:], other(0, 2)[at:at+size]); return b },
		"another block's frames": func(b []byte) []byte { copy(b[at:], other(1, 1)[at:at+size]); return b },
	} {
		back := c.edit(0, 1, change)
		expectWhole(t, c, name, 1)
		lost := c.lose(4)
		expectWhole(t, c, name+" and one lost", -1)
		lost()
		back()
	}
	back := c.edit(0, 1, func(b []byte) []byte { return append(b, 1, 2, 3) })
	expectWhole(t, c, "bytes behind the end", -1)
	if len(c.damage) > 0 {
		t.Errorf("bytes behind the last frame are not in reach of a reader: %+v", c.damage)
	}
	back()
}

// TestStaleFramesAreErased replaces a frame by one that is whole but says something else than the block's record.
func TestStaleFramesAreErased(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(5*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	at, _ := c.frameAt(0, 0, 3)
	for name, change := range map[string]func(*schemas.Frame, []byte){
		"older generation": func(f *schemas.Frame, _ []byte) { f.Generation-- },
		"newer generation": func(f *schemas.Frame, _ []byte) { f.Generation++ },
		"other block":      func(f *schemas.Frame, _ []byte) { f.Block[15]++ },
		"other file":       func(f *schemas.Frame, _ []byte) { f.Block[0]++ },
		"other index":      func(f *schemas.Frame, _ []byte) { f.Index = 1 },
		"other stripe":     func(f *schemas.Frame, _ []byte) { f.Stripe = 2 },
		"other length":     func(f *schemas.Frame, _ []byte) { f.StripeLength++ },
		"other offset":     func(f *schemas.Frame, _ []byte) { f.Offset++ },
		"close frame":      func(f *schemas.Frame, _ []byte) { f.Kind = schemas.FrameClose },
		"other stripe CRC": func(f *schemas.Frame, cell []byte) { f.CRC++; cell[0]++ },
	} {
		stale := c.frame(nil, b, 0, 3, 3*3*4096, change)
		back := c.edit(0, 0, func(file []byte) []byte { copy(file[at:], stale); return file })
		expectWhole(t, c, name, 0)
		back()
	}
}

// TestACellMadeWrong has frames that are whole and say all the right things, around bytes that were never written:
// what came of an encoder or a writer gone wrong.
func TestACellMadeWrong(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(5*3*4096), whole(policy, 6))
	b := c.blocks[c.order[0]]
	wrong := func(index int) func() {
		at, _ := c.frameAt(0, index, 3)
		frame := c.frame(nil, b, index, 3, 3*3*4096, func(_ *schemas.Frame, cell []byte) { clear(cell) })
		return c.edit(0, index, func(file []byte) []byte { copy(file[at:], frame); return file })
	}
	for index := range 5 {
		back := wrong(index)
		f := c.open(t)
		c.damage = nil
		got, err := readAll(f)
		if err != nil || !bytes.Equal(got, c.data) {
			t.Fatalf("index %d made wrong: %v", index, err)
		}
		if index < 3 && (len(c.damage) != 1 || int(c.damage[0].Shard.Index) != index) {
			t.Errorf("index %d made wrong: damage %+v", index, c.damage)
		}
		lost := c.lose((index + 1) % 3)
		f = c.open(t)
		got, err = readAll(f)
		if err != nil || !bytes.Equal(got, c.data) {
			t.Fatalf("index %d made wrong, %d lost: %v", index, (index+1)%3, err)
		}
		lost()
		back()
	}
	one, two, three := wrong(0), wrong(3), wrong(4)
	f := c.open(t)
	p := make([]byte, len(c.data))
	n, err := f.ReadAt(p, 0)
	var lost *LostError
	if !errors.As(err, &lost) || lost.Stripe != 3 || lost.Reason == "" || n != 3*3*4096 || !bytes.Equal(p[:n], c.data[:n]) {
		t.Fatalf("three made wrong: %d bytes, %v", n, err)
	}
	three()
	if got, err := readAll(f); err != nil || !bytes.Equal(got, c.data) {
		t.Fatalf("two made wrong: %v", err)
	}
	two()
	one()
}

func TestMoreThanMGone(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(9*3*4096+100), whole(policy, 6))
	c.lose(0, 4)
	at, _ := c.frameAt(0, 2, 3)
	c.edit(0, 2, func(b []byte) []byte { b[at+200] ^= 1; return b })
	f := c.open(t)
	got, err := readAll(f)
	if len(got) != 3*3*4096 || !bytes.Equal(got, c.data[:len(got)]) {
		t.Errorf("%d bytes before the lost stripe", len(got))
	}
	expectLost(t, c, err)
	p := bytes.Repeat([]byte{0xEE}, 3*4096)
	n, err := f.ReadAt(p, 3*3*4096)
	if n != 0 || !bytes.Equal(p, bytes.Repeat([]byte{0xEE}, len(p))) {
		t.Errorf("pread of the lost stripe handed out %d bytes", n)
	}
	expectLost(t, c, err)
	if n, err = f.ReadAt(p[:20], 3*3*4096+4090); n != 0 || p[0] != 0xEE {
		t.Errorf("pread over lost and good cell handed out bytes")
	}
	expectLost(t, c, err)
	comparePread(t, c, f, 3*3*4096+4096, 4096) // the cell of index 1 is whole
	var out bytes.Buffer
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err = f.WriteTo(&out); out.Len() != 3*3*4096 {
		t.Errorf("WriteTo handed out %d bytes", out.Len())
	}
	expectLost(t, c, err)
}

func expectLost(t *testing.T, c *cluster, err error) {
	t.Helper()
	b := c.blocks[c.order[0]]
	var lost *LostError
	if !errors.Is(err, ErrLost) || !errors.As(err, &lost) || lost.Block != b.ID || lost.Stripe != 3 || lost.Have != 2 {
		t.Fatalf("error %v", err)
	}
	var indexes []int
	for _, f := range lost.Faults {
		indexes = append(indexes, f.Index)
		if !strings.Contains(err.Error(), f.Target.String()) {
			t.Errorf("%v does not name target %s", err, f.Target)
		}
	}
	if !slices.Equal(indexes, []int{0, 2, 4}) || !errors.Is(lost.Faults[0].Reason, fs.ErrNotExist) ||
		!errors.Is(lost.Faults[1].Reason, schemas.ErrBadFrame) || strings.Contains(err.Error(), "\n") {
		t.Errorf("faults %+v", lost.Faults)
	}
}
