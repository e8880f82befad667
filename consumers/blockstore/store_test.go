package blockstore

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"stripeline/processors/erasure"
	"stripeline/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a store on fresh directories, with what a worker has around it.
type rig struct {
	t       testing.TB
	options Options
	store   *Store
	sink    *Sink
	coder   *erasure.Coder
	file    schemas.FileID
	acks    []schemas.Ack
	live    atomic.Int64 // stripes that have not been released
}

const testPolicy = "RS-3-2-4k"

func newRig(t testing.TB, targets int, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, coder: erasure.New(), file: schemas.NewFileID()}
	r.options = Options{Node: "here", Deadline: time.Minute}
	for i := range targets {
		r.options.Directories = append(r.options.Directories, Directory{Path: filepath.Join(t.TempDir(), fmt.Sprint(i)), Rack: "r"})
	}
	if change != nil {
		change(&r.options)
	}
	r.open()
	t.Cleanup(func() {
		if err := r.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if n := r.live.Load(); n != 0 {
			t.Errorf("%d stripes were not released", n)
		}
	})
	return r
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	if r.store, err = Open(context.Background(), r.options); err != nil {
		r.t.Fatal(err)
	}
	r.reopenSink()
}

func (r *rig) reopenSink() {
	r.t.Helper()
	var err error
	if r.sink, err = r.store.Sink(context.Background(), 0); err != nil {
		r.t.Fatal(err)
	}
}

// restart closes the store and opens it again.
func (r *rig) restart() {
	r.t.Helper()
	if err := r.store.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open()
}

// content makes bytes that depend on block and stripe.
func content(block schemas.BlockID, stripe int32, length int) []byte {
	b := make([]byte, length)
	source := rand.NewChaCha8([32]byte{byte(block.Number()), byte(stripe), byte(stripe >> 8)})
	_, _ = source.Read(b)
	return b
}

func packet(block schemas.BlockID, stripe int32, length int) schemas.Packet {
	payload := content(block, stripe, length)
	p := schemas.Packet{Kind: schemas.PacketData, Block: block, Generation: 7, Policy: testPolicy, Stripe: stripe,
		Offset: int64(stripe) * 3 * 4096, CRC: schemas.CRC(payload), FileLength: -1, Checksums: schemas.AppendSums(nil, payload), Payload: payload}
	if stripe == 0 {
		p.Path, p.Metadata = "/a/file", map[string]string{"k": "v"}
	}
	return p
}

func endPacket(block schemas.BlockID, stripes int32) schemas.Packet {
	return schemas.Packet{Kind: schemas.PacketEnd, Block: block, Generation: 7, Policy: testPolicy, Stripe: stripes,
		Offset: int64(stripes) * 3 * 4096, FileLength: -1}
}

// stripe makes the stripe of a packet with index i on target i, and counts its release.
func (r *rig) stripe(p schemas.Packet) schemas.Stripe {
	var s schemas.Stripe
	if err := r.coder.Stage(p, func(out schemas.Stripe) { s = out }); err != nil {
		r.t.Fatal(err)
	}
	targets := r.store.Targets()
	s.Targets = make([]schemas.TargetID, s.Policy.N())
	for i := range min(len(s.Targets), len(targets)) {
		s.Targets[i] = targets[i].ID
	}
	free := s.Free
	r.live.Add(1)
	s.Free = func() {
		r.live.Add(-1)
		if free != nil {
			free()
		}
	}
	return s
}

func (r *rig) put(p schemas.Packet) error {
	s := r.stripe(p)
	err := r.sink.Put(context.Background(), s)
	if _, reject := schemas.AsReject(err); err != nil && !reject {
		s.Release()
	}
	return err
}

func (r *rig) mustPut(packets ...schemas.Packet) {
	r.t.Helper()
	for _, p := range packets {
		if err := r.put(p); err != nil {
			r.t.Fatalf("put %s: %v", &p, err)
		}
	}
}

// flush gives the acks of one flush.
func (r *rig) flush() ([]schemas.Ack, error) {
	var acks []schemas.Ack
	err := r.sink.Flush(context.Background(), func(a schemas.Ack) { acks = append(acks, a) })
	r.acks = append(r.acks, acks...)
	return acks, err
}

func (r *rig) mustFlush() []schemas.Ack {
	r.t.Helper()
	acks, err := r.flush()
	if err != nil {
		r.t.Fatalf("flush: %v", err)
	}
	return acks
}

// held gives what the acks so far say: per block, index and stripe the incarnations that hold a frame.
func (r *rig) held() map[string]bool { return heldBy(r.acks) }

func heldBy(acks []schemas.Ack) map[string]bool {
	held := make(map[string]bool)
	for _, a := range acks {
		for _, receipt := range a.Receipts {
			for stripe := receipt.First; stripe <= receipt.Last; stripe++ {
				key := fmt.Sprintf("%s/%d/%d/%s/%s", a.Block, receipt.Index, stripe, receipt.Incarnation, receipt.Target)
				if a.Kind == schemas.AckReceipt {
					held[key] = true
				} else {
					delete(held, key)
				}
			}
		}
	}
	return held
}

// check reads every frame that acks say is held, and compares it with what was put.
func (r *rig) check(acks []schemas.Ack, length func(stripe int32) int) int {
	r.t.Helper()
	n := 0
	dirs := make(map[schemas.TargetID]string)
	for _, t := range r.store.targets {
		dirs[t.id] = t.dir
	}
	for key := range heldBy(acks) {
		var block, incarnation, targetID string
		var index, stripe int32
		if _, err := fmt.Sscanf(key, "%32s/%d/%d/%16s/%32s", &block, &index, &stripe, &incarnation, &targetID); err != nil {
			r.t.Fatal(err)
		}
		id, _ := schemas.ParseBlockID(block)
		inc, _ := schemas.ParseIncarnation(incarnation)
		tid, _ := schemas.ParseTargetID(targetID)
		p := packet(id, stripe, length(stripe))
		var want []byte
		_ = r.coder.Stage(p, func(s schemas.Stripe) { want = bytes.Clone(s.Cells[index]); s.Release() })
		if len(want) == 0 {
			continue
		}
		f, err := OpenShard(dirs[tid], id, index, inc)
		if err != nil {
			r.t.Fatalf("%s: %v", key, err)
		}
		frame, cell, err := f.ReadFrame(stripe, nil)
		if err != nil || !bytes.Equal(cell, want) || frame.CRC != p.CRC || frame.Offset != p.Offset {
			r.t.Fatalf("%s: %v, %d bytes", key, err, len(cell))
		}
		_ = f.Close()
		n++
	}
	return n
}

func full(int32) int { return 3 * 4096 }

func TestStripesAreReceiptedAndReadBack(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(3)
	lengths := []int{3 * 4096, 3 * 4096, 100, 4096, 5000, 3 * 4096, 1}
	for i, n := range lengths {
		r.mustPut(packet(block, int32(i), n))
	}
	r.mustPut(endPacket(block, 7))
	acks := r.mustFlush()
	if len(acks) != 2 || acks[0].Kind != schemas.AckReceipt || acks[1].Kind != schemas.AckClose {
		t.Fatalf("acks: %+v", acks)
	}
	a := acks[0]
	if a.First != 0 || len(a.Lengths) != 7 || len(a.CRCs) != 28 || len(a.Missing) != 0 || acks[1].Stripes != 7 {
		t.Fatalf("ack: %+v", a)
	}
	if n := r.check(acks, func(s int32) int { return lengths[s] }); n != 7*3+4+3 {
		t.Fatalf("%d frames were read back", n)
	}
	for info, err := range r.store.Shards(context.Background()) {
		if err != nil || !info.Closed || info.Header.Path != "/a/file" && info.First == 0 {
			t.Fatalf("%v %+v", err, info)
		}
	}
	r.mustPut(packet(block, 7, 10))
	if acks := r.mustFlush(); len(acks) != 0 {
		t.Fatalf("a packet behind the close gave %+v", acks)
	}
}

func TestRestartAnswersHaveAndGoesOnInTheSameShards(t *testing.T) {
	r := newRig(t, 5, nil)
	block := r.file.Block(0)
	lengths := []int{3 * 4096, 10, 20, 3 * 4096, 3 * 4096, 3 * 4096}
	for i := range 4 {
		r.mustPut(packet(block, int32(i), lengths[i]))
	}
	before := heldBy(r.mustFlush())
	r.restart()
	for i := 1; i < 6; i++ {
		r.mustPut(packet(block, int32(i), lengths[i]))
	}
	acks := r.mustFlush()
	r.check(acks, func(s int32) int { return lengths[s] })
	for key := range before {
		if !r.held()[key] {
			t.Errorf("lost %s", key)
		}
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(r.options.Directories[0].Path)), "*", "*", "*", "*.shard"))
	if len(files) != 5 {
		t.Errorf("%d shard files, want 5: %v", len(files), files)
	}
}
