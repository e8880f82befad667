package blockstore

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stripeline/schemas"
)

func removeAll(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// shardFiles gives the shard files of all targets whose names end so.
func (r *rig) shardFiles(suffix string) []string {
	var all []string
	for _, d := range r.options.Directories {
		files, _ := filepath.Glob(filepath.Join(d.Path, "*", "*"+suffix))
		all = append(all, files...)
	}
	return all
}

// changed gives the packet with other content.
func changed(p schemas.Packet) schemas.Packet {
	p.Payload = slices.Clone(p.Payload)
	for i := range p.Payload {
		p.Payload[i] ^= 0xff
	}
	p.CRC, p.Checksums = schemas.CRC(p.Payload), schemas.AppendSums(nil, p.Payload)
	return p
}

func TestAnswers(t *testing.T) {
	block := schemas.NewFileID().Block(1)
	other := packet(block, 1, 12288)
	other.Generation++
	longer := packet(block, 1, 12000)
	for _, c := range []struct {
		name   string
		packet schemas.Packet
		reject bool
		frames int // receipted by the next flush
		files  int // shard files in all
	}{
		{"stored: the next stripe", packet(block, 3, 12288), false, 5, 5},
		{"have: the same stripe", packet(block, 1, 12288), false, 5, 5},
		{"gap: a stripe further on", packet(block, 7, 12288), false, 5, 10},
		{"conflict: other content", changed(packet(block, 1, 12288)), true, 0, 5},
		{"conflict: other generation", other, true, 0, 5},
		{"conflict: other length", longer, true, 0, 5},
	} {
		for _, restarted := range []string{"", " after a restart"} {
			t.Run(c.name+restarted, func(t *testing.T) {
				r := newRig(t, 5, nil)
				r.mustPut(packet(block, 0, 12288), packet(block, 1, 12288), packet(block, 2, 12288))
				r.mustFlush()
				if restarted != "" {
					r.restart()
				}
				err := r.put(c.packet)
				reject, isReject := schemas.AsReject(err)
				if isReject != c.reject || err != nil && !isReject || isReject && reject.Code != "conflict" {
					t.Fatalf("put: %v", err)
				}
				acks := r.mustFlush()
				if n := len(heldBy(acks)); n != c.frames {
					t.Errorf("%d frames receipted, want %d", n, c.frames)
				}
				if n := len(r.shardFiles(".shard")); n != c.files {
					t.Errorf("%d shard files, want %d", n, c.files)
				}
				r.check(r.acks, full)
			})
		}
	}
}

// With fewer than k indexes in conflict those begin new shards, and the packet is stored.
func TestFewConflictsBeginNewShards(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	r.mustPut(packet(block, 0, 12288), changed(packet(block, 1, 12288)))
	r.mustFlush()
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 2} {
		for _, file := range r.shardFiles(".shard") {
			if strings.Contains(file, r.options.Directories[i].Path) {
				removeAll(t, file)
			}
		}
	}
	r.acks = nil
	r.open()
	r.mustPut(packet(block, 1, 12288), packet(block, 2, 12288))
	acks := r.mustFlush()
	if n := len(heldBy(acks)); n != 10 {
		t.Fatalf("%d frames receipted, want 10", n)
	}
	r.check(acks, full)
	if n := len(r.shardFiles(".shard")); n != 2+5 {
		t.Errorf("%d shard files, want 7", n)
	}
}

func TestClosedBlocksStayClosed(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	r.mustPut(packet(block, 0, 12288), packet(block, 1, 100), endPacket(block, 2))
	r.mustFlush()
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		r.mustPut(packet(block, 2, 12288))
		if acks := r.mustFlush(); len(acks) != 0 {
			t.Errorf("restarted %t: a packet behind the close gave %+v", restarted, acks)
		}
		r.mustPut(endPacket(block, 2))
		acks := r.mustFlush()
		if len(acks) != 1 || acks[0].Kind != schemas.AckClose || acks[0].Stripes != 2 {
			t.Errorf("restarted %t: the end again gave %+v", restarted, acks)
		}
	}
	// What lies before the close is receipted again.
	r.restart()
	r.mustPut(packet(block, 0, 12288), packet(block, 1, 100))
	acks := r.mustFlush()
	if n := r.check(acks, func(s int32) int { return []int{12288, 100}[s] }); n != 8 {
		t.Errorf("%d frames before the close are receipted again, want 8", n)
	}
}

func TestAFenceClosesABlockThatWasNeverWritten(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	fence := endPacket(block, -1)
	fence.Kind, fence.Generation = schemas.PacketFence, 9
	r.mustPut(fence, packet(block, 0, 12288))
	acks := r.mustFlush()
	if len(acks) != 1 || acks[0].Kind != schemas.AckClose || acks[0].Stripes != -1 || acks[0].Generation != 9 {
		t.Fatalf("acks: %+v", acks)
	}
	if files := r.shardFiles(""); len(files) != 0 {
		t.Errorf("there are shards: %v", files)
	}
}

func TestWhatTheRecordSaysIsClosedIsNotTouched(t *testing.T) {
	for _, state := range []schemas.BlockState{schemas.BlockSealed, schemas.BlockDegraded, schemas.BlockDeleted} {
		r := newRig(t, 5, func(o *Options) {
			o.Acked = func(schemas.BlockID) (schemas.Block, bool) { return schemas.Block{State: state}, true }
		})
		r.mustPut(packet(r.file.Block(0), 0, 12288))
		if acks := r.mustFlush(); len(acks) != 0 || len(r.shardFiles("")) != 0 {
			t.Errorf("%s: %+v", state, acks)
		}
	}
}

func TestManyBlocksAreForgottenAndFoundAgain(t *testing.T) {
	r := newRig(t, 5, nil)
	for stripe := range int32(2) {
		for n := range uint32(3 * idleOpen) {
			r.mustPut(packet(r.file.Block(n), stripe, 100))
			if n%16 == 0 {
				r.mustFlush()
			}
		}
		r.mustFlush()
		if n := len(r.sink.blocks); n > 2*idleOpen {
			t.Errorf("%d blocks are kept in memory", n)
		}
	}
	r.check(r.acks, func(int32) int { return 100 })
	if n := len(r.shardFiles(".shard")); n != 3*idleOpen*3 {
		t.Errorf("%d shard files, want %d", n, 3*idleOpen*3)
	}
}

func TestRemove(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	r.mustPut(packet(block, 0, 12288))
	r.mustFlush()
	receipt := r.acks[0].Receipts[3]
	shard := schemas.Shard{Index: receipt.Index, Target: receipt.Target, Incarnation: receipt.Incarnation}
	for range 2 { // the second time the file is gone already
		ack, err := r.store.Remove(context.Background(), block, shard)
		if err != nil || ack.Kind != schemas.AckRemoved || ack.Receipts[0].Incarnation != receipt.Incarnation {
			t.Fatalf("%v, %+v", err, ack)
		}
		r.acks = append(r.acks, ack)
	}
	if n := len(r.shardFiles(".shard")); n != 4 {
		t.Errorf("%d shards are left", n)
	}
	r.mustPut(packet(block, 0, 12288), packet(block, 1, 12288))
	r.mustFlush()
	if n := r.check(r.acks, full); n != 10 {
		t.Errorf("%d frames, want 10: a removed shard must begin anew", n)
	}
	if _, err := r.store.Remove(context.Background(), block, schemas.Shard{}); err == nil {
		t.Error("a target of somebody else")
	}
}
