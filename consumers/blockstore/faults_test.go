package blockstore

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// faults makes operations go wrong, and notes all of them.
type faults struct {
	mu    sync.Mutex
	rule  func(durable.Op) error
	ops   []durable.Op
	fired int
}

func (f *faults) before(op durable.Op) error {
	f.mu.Lock()
	f.ops = append(f.ops, op)
	rule := f.rule
	f.mu.Unlock()
	if rule == nil {
		return nil
	}
	err := rule(op)
	if err != nil {
		f.mu.Lock()
		f.fired++
		f.mu.Unlock()
	}
	return err
}

// set changes the rule and gives how often the old one fired.
func (f *faults) set(rule func(durable.Op) error) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	fired := f.fired
	f.rule, f.fired = rule, 0
	return fired
}

func newFaultyRig(t testing.TB, targets int) (*rig, *faults) {
	f := &faults{}
	r := newRig(t, targets, func(o *Options) { o.Disk = &durable.Disk{Before: f.before} })
	return r, f
}

// on says whether an operation is on one of the rig's targets, in a shard or in probing.
func (r *rig) on(op durable.Op, targets ...int) bool {
	return slices.ContainsFunc(targets, func(i int) bool {
		return strings.HasPrefix(op.Path, r.options.Directories[i].Path+string(filepath.Separator))
	})
}

func TestAFailedFsyncIsFinalForItsFile(t *testing.T) {
	r, f := newFaultyRig(t, 5)
	block := r.file.Block(0)
	r.mustPut(packet(block, 0, 12288))
	first := r.mustFlush()
	r.mustPut(packet(block, 1, 12288), packet(block, 2, 12288))
	once := sync.Once{}
	f.set(func(op durable.Op) (err error) {
		if op.Kind == durable.OpSync && r.on(op, 2) {
			once.Do(func() { err = unix.EIO })
		}
		return err
	})
	acks := r.mustFlush()
	if f.set(nil) != 1 {
		t.Fatal("the fault did not fire")
	}
	if len(acks) != 1 || !slices.Equal(acks[0].Missing, []int32{2}) || len(acks[0].Receipts) != 4 {
		t.Fatalf("acks: %+v", acks)
	}
	if state := r.store.Targets()[2].State; state != schemas.TargetSick {
		t.Errorf("the target is %s", state)
	}
	from := len(f.ops)
	r.store.heal()
	r.mustPut(packet(block, 3, 12288))
	acks = r.mustFlush()
	if len(acks) != 1 || len(acks[0].Missing) != 0 || len(acks[0].Receipts) != 5 {
		t.Fatalf("after the target works again: %+v", acks)
	}
	old := ShardPath(r.options.Directories[2].Path, block, 2, incarnationOf(first, 2))
	for _, op := range f.ops[from:] {
		if op.Path == old {
			t.Errorf("%s of a file whose fsync went wrong", op.Kind)
		}
	}
	if incarnationOf(acks, 2) == incarnationOf(first, 2) {
		t.Error("the same shard goes on")
	}
	r.check(r.acks, full)
}

func incarnationOf(acks []schemas.Ack, index int32) schemas.Incarnation {
	for _, a := range acks {
		for _, receipt := range a.Receipts {
			if receipt.Index == index {
				return receipt.Incarnation
			}
		}
	}
	return schemas.Incarnation{}
}

func TestBelowTheQuorumCellsAreKeptAndEveryTargetIsTriedAgain(t *testing.T) {
	for name, fault := range map[string]func(durable.Op) error{
		"no space on write":           onKind(unix.ENOSPC, durable.OpWrite),
		"short write":                 func(op durable.Op) error { return shortWrite(op) },
		"no space on create":          onKind(unix.ENOSPC, durable.OpCreate),
		"no space on mkdir":           onKind(unix.ENOSPC, durable.OpMkdir, durable.OpCreate),
		"error on fsync":              onKind(unix.EIO, durable.OpSync),
		"error on fsync of directory": onKind(unix.EIO, durable.OpSyncDir),
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newFaultyRig(t, 5)
			block := r.file.Block(0)
			f.set(func(op durable.Op) error {
				if r.on(op, 1, 3) {
					return fault(op)
				}
				return nil
			})
			r.mustPut(packet(block, 0, 12288), packet(block, 1, 5000))
			for range 2 {
				_, err := r.flush()
				if !errors.Is(err, ErrBelowQuorum) || !errors.Is(err, ErrSick) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("flush: %v", err)
				}
			}
			if n := len(r.held()); n != 5 {
				t.Errorf("%d frames are receipted, want 5", n)
			}
			r.mustPut(packet(block, 2, 12288), endPacket(block, 3))
			if acks, err := r.flush(); !errors.Is(err, ErrBelowQuorum) || kinds(acks)[schemas.AckClose] > 0 {
				t.Fatalf("flush: %v, %+v", err, acks)
			}
			if f.set(nil) == 0 {
				t.Fatal("no fault fired")
			}
			acks := r.mustFlush()
			if kinds(acks)[schemas.AckClose] != 1 || acks[len(acks)-1].Kind != schemas.AckClose || acks[len(acks)-1].Stripes != 3 {
				t.Fatalf("acks: %+v", acks)
			}
			if n := r.check(r.acks, func(s int32) int { return []int{12288, 5000, 12288}[s] }); n != 14 {
				t.Errorf("%d frames are receipted, want 14", n)
			}
			if r.live.Load() != 0 {
				t.Errorf("%d stripes are kept", r.live.Load())
			}
		})
	}
}

func onKind(err error, kinds ...durable.OpKind) func(durable.Op) error {
	return func(op durable.Op) error {
		if slices.Contains(kinds, op.Kind) {
			return err
		}
		return nil
	}
}

func shortWrite(op durable.Op) error {
	if op.Kind == durable.OpWrite {
		return &durable.Short{Written: op.Length / 2, Err: unix.ENOSPC}
	}
	return nil
}

func kinds(acks []schemas.Ack) map[schemas.AckKind]int {
	n := make(map[schemas.AckKind]int)
	for _, a := range acks {
		n[a.Kind]++
	}
	return n
}

// The deadline passes in the virtual time of a bubble: only the hanging operation takes any.
func TestAHungTargetIsSickAndNotTheLink(t *testing.T) {
	for _, kind := range []durable.OpKind{durable.OpWrite, durable.OpSync, durable.OpSyncDir, durable.OpCreate} {
		t.Run(string(kind), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { hangs(t, kind) }) })
	}
}

func hangs(t *testing.T, kind durable.OpKind) {
	r, f := newFaultyRig(t, 5)
	hang, entered := make(chan struct{}), make(chan struct{}, 100)
	block := r.file.Block(0)
	f.set(func(op durable.Op) error {
		if op.Kind == kind && r.on(op, 4) {
			entered <- struct{}{}
			<-hang
		}
		return nil
	})
	r.mustPut(packet(block, 0, 12288), packet(block, 1, 12288))
	acks := r.mustFlush()
	<-entered
	if !slices.Equal(acks[0].Missing, []int32{4}) {
		t.Fatalf("acks: %+v", acks)
	}
	r.mustPut(packet(block, 2, 12288), endPacket(block, 3))
	if acks = r.mustFlush(); kinds(acks)[schemas.AckClose] != 1 {
		t.Fatalf("acks: %+v", acks)
	}
	kept := map[durable.OpKind]int64{durable.OpWrite: 1, durable.OpCreate: 1}[kind]
	if n := r.live.Load(); n != kept {
		t.Errorf("%d stripes are kept, want %d: the one that a hanging write still reads", n, kept)
	}
	f.set(nil)
	close(hang)
	synctest.Wait()
	r.store.heal()
	r.mustPut(packet(r.file.Block(1), 0, 12288))
	if acks = r.mustFlush(); len(acks[0].Missing) != 0 {
		t.Fatalf("after the target has come back: %+v", acks)
	}
	r.check(r.acks, full)
}

func TestARemovedDirectoryIsNoDurableOne(t *testing.T) {
	r, _ := newFaultyRig(t, 5)
	block := r.file.Block(0)
	r.mustPut(packet(block, 0, 12288))
	r.mustFlush()
	removeAll(t, r.options.Directories[1].Path)
	r.mustPut(packet(block, 1, 12288))
	acks := r.mustFlush()
	if !slices.Equal(acks[0].Missing, []int32{1}) {
		t.Fatalf("frames in a removed directory were receipted: %+v", acks)
	}
	r.store.heal()
	r.mustPut(packet(r.file.Block(1), 0, 12288))
	if acks = r.mustFlush(); !slices.Equal(acks[0].Missing, []int32{1}) {
		t.Fatalf("a target without its id file takes frames: %+v", acks)
	}
}

func TestNoTargetForAnIndex(t *testing.T) {
	r, _ := newFaultyRig(t, 4)
	r.mustPut(packet(r.file.Block(0), 0, 12288))
	if acks := r.mustFlush(); !slices.Equal(acks[0].Missing, []int32{4}) {
		t.Fatalf("acks: %+v", acks)
	}
	r, _ = newFaultyRig(t, 3)
	r.mustPut(packet(r.file.Block(0), 0, 12288))
	if _, err := r.flush(); !errors.Is(err, ErrBelowQuorum) || !strings.Contains(err.Error(), "no target") {
		t.Fatalf("flush: %v", err)
	}
}
