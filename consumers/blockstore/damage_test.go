package blockstore

import (
	"context"
	"errors"
	"os"
	"testing"

	"stripeline/schemas"
)

// damageShard changes one byte of a stripe's frame in a shard file.
func damageShard(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func TestDamageFoundAtRecovery(t *testing.T) {
	for _, c := range []struct {
		name     string
		recorded bool
		at       func(size int64) int64
		bad      int    // files set aside
		lost     [2]int // stripes said to be lost, of 0 to 3
	}{
		{"rot in the middle, on record", true, func(size int64) int64 { return size / 2 }, 1, [2]int{0, 3}},
		{"rot in the last frame, on record", true, func(size int64) int64 { return size - 1 }, 1, [2]int{0, 3}},
		{"rot in the shard's header", false, func(int64) int64 { return 20 }, 1, [2]int{0, 3}},
		{"torn tail, not on record", false, func(size int64) int64 { return size - 1 }, 0, [2]int{3, 3}},
		{"a hole in a tail that is not on record", false, func(size int64) int64 { return size / 2 }, 0, [2]int{1, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 5, nil)
			block := r.file.Block(0)
			for stripe := range int32(4) {
				r.mustPut(packet(block, stripe, 12288))
			}
			acks := r.mustFlush()
			if c.recorded {
				r.options.Acked = record(acks)
			}
			if err := r.store.Close(); err != nil {
				t.Fatal(err)
			}
			path := ShardPath(r.options.Directories[1].Path, block, 1, incarnationOf(acks, 1))
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			damageShard(t, path, c.at(info.Size()))
			r.open()
			for stripe := range int32(5) {
				r.mustPut(packet(block, stripe, 12288))
			}
			acks = r.mustFlush()
			if kinds(acks)[schemas.AckLoss] != 1 || acks[0].Kind != schemas.AckLoss || acks[0].Reason == "" {
				t.Fatalf("acks: %+v", acks)
			}
			loss := acks[0].Receipts[0]
			if loss.Index != 1 || int(loss.First) != c.lost[0] || int(loss.Last) < c.lost[1] {
				t.Errorf("loss: %+v", loss)
			}
			for _, a := range acks[1:] {
				for _, receipt := range a.Receipts {
					if receipt.Incarnation == loss.Incarnation && receipt.Last >= loss.First {
						t.Errorf("an incarnation takes frames that it is said to have lost: %+v", receipt)
					}
				}
			}
			if n := len(r.shardFiles(".bad")); n != c.bad {
				t.Errorf("%d files are set aside, want %d", n, c.bad)
			}
			if n := r.check(r.acks, full); n < 25 {
				t.Errorf("%d frames are held", n)
			}
		})
	}
}

func TestShardsAreListed(t *testing.T) {
	r := newRig(t, 5, nil)
	r.mustPut(packet(r.file.Block(0), 0, 12288), packet(r.file.Block(0), 1, 12288), packet(r.file.Block(1), 5, 10))
	r.mustFlush()
	n := 0
	for info, err := range r.store.Shards(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		first, last := int32(0), int32(1)
		if info.Header.Block.Number() == 1 {
			first, last = 5, 5
		}
		if info.First != first || info.Last != last || info.Closed || info.Target == (schemas.TargetID{}) {
			t.Errorf("%+v", info)
		}
		n++
	}
	if n != 5+3 {
		t.Errorf("%d shards, want 8", n)
	}
	damageShard(t, r.shardFiles(".shard")[0], 30)
	bad := 0
	for _, err := range r.store.Shards(context.Background()) {
		if errors.Is(err, schemas.ErrBadFrame) {
			bad++
		}
	}
	if bad != 1 {
		t.Errorf("%d damaged shards, want 1", bad)
	}
}

func TestReadFrame(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	for _, stripe := range []int32{0, 1, 2, 3} {
		r.mustPut(packet(block, stripe, 12288))
	}
	acks := r.mustFlush()
	dir, incarnation := r.options.Directories[1].Path, incarnationOf(acks, 1)
	f, err := OpenShard(dir, block, 1, incarnation)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buffer := make([]byte, 0, 4096)
	for _, stripe := range []int32{3, 0, 2} {
		if _, cell, err := f.ReadFrame(stripe, buffer); err != nil || &cell[0] != &buffer[:1][0] {
			t.Fatalf("stripe %d: %v", stripe, err)
		}
	}
	if _, _, err := f.ReadFrame(4, nil); !errors.Is(err, ErrNoFrame) {
		t.Errorf("a stripe that is not there: %v", err)
	}
	r.mustPut(packet(block, 4, 12288), endPacket(block, 5))
	r.mustFlush()
	if _, _, err := f.ReadFrame(4, nil); err != nil {
		t.Errorf("the shard has grown: %v", err)
	}
	if _, _, err := f.ReadFrame(5, nil); !errors.Is(err, ErrNoFrame) {
		t.Errorf("behind the close: %v", err)
	}
	if _, err := OpenShard(dir, block, 2, incarnation); !errors.Is(err, ErrNoShard) {
		t.Errorf("another index: %v", err)
	}
	if err := os.Link(f.File().Name(), ShardPath(dir, block, 3, incarnation)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenShard(dir, block, 3, incarnation); !errors.Is(err, schemas.ErrBadFrame) {
		t.Errorf("a shard under another's name: %v", err)
	}
}

// Every byte of a shard is under a check: whichever is changed, the frame that it belongs to is damage, no other bytes
// are ever handed on, and the other frames stay readable.
func TestEveryChangedByteIsFound(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	r.mustPut(packet(block, 0, 2000), packet(block, 1, 2000), packet(block, 2, 2000))
	acks := r.mustFlush()
	path := ShardPath(r.options.Directories[0].Path, block, 0, incarnationOf(acks, 0))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range info.Size() {
		damageShard(t, path, at)
		good := 0
		if f, err := OpenShard(r.options.Directories[0].Path, block, 0, incarnationOf(acks, 0)); err == nil {
			for stripe := range int32(3) {
				_, cell, err := f.ReadFrame(stripe, nil)
				switch {
				case err == nil && string(cell) == string(content(block, stripe, 2000)):
					good++
				case !errors.Is(err, schemas.ErrBadFrame):
					t.Fatalf("byte %d, stripe %d: %v", at, stripe, err)
				}
			}
			_ = f.Close()
			if good != 2 {
				t.Fatalf("byte %d was changed, and %d of 3 frames are good", at, good)
			}
		} else if !errors.Is(err, schemas.ErrBadFrame) {
			t.Fatalf("byte %d: %v", at, err)
		}
		damageShard(t, path, at)
	}
}

func TestAnnounceReceiptsWhatIsGood(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	lengths := []int{12288, 100, 12288, 12288}
	for stripe, n := range lengths {
		r.mustPut(packet(block, int32(stripe), n))
	}
	receipted := heldBy(r.mustFlush())
	announce := func() []schemas.Ack {
		var acks []schemas.Ack
		for info, err := range r.store.Shards(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			more, err := r.store.Announce(context.Background(), info)
			if err != nil {
				t.Fatal(err)
			}
			acks = append(acks, more...)
		}
		return acks
	}
	acks := announce()
	if n := r.check(acks, func(s int32) int { return lengths[s] }); n != 5+3+5+5 {
		t.Errorf("%d frames are announced, want 18", n)
	}
	for key := range heldBy(acks) {
		if !receipted[key] {
			t.Errorf("announced %s, which was never receipted", key)
		}
	}
	path := ShardPath(r.options.Directories[0].Path, block, 0, incarnationOf(r.acks, 0))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	damageShard(t, path, info.Size()-1)
	if n := len(heldBy(announce())); n != 17 {
		t.Errorf("%d frames are announced with one damaged, want 17", n)
	}
}
