package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestPublishFollowsTheSequence(t *testing.T) {
	var ops []OpKind
	d := &Disk{Before: func(op Op) error { ops = append(ops, op.Kind); return nil }}
	dir := t.TempDir()
	path := filepath.Join(dir, "name")
	if err := d.Publish(path, []byte("content")); err != nil {
		t.Fatal(err)
	}
	if want := []OpKind{OpRemove, OpCreate, OpWrite, OpSync, OpLink, OpRemove, OpSyncDir}; !slices.Equal(ops, want) {
		t.Errorf("%v, want %v", ops, want)
	}
	if read(t, path) != "content" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v", read(t, path), names(t, dir))
	}
	if err := d.Publish(path, []byte("other")); !errors.Is(err, ErrExists) || read(t, path) != "content" || len(names(t, dir)) != 1 {
		t.Errorf("a taken name: %v, %q, %v", err, read(t, path), names(t, dir))
	}
}

func TestPublishIsAllOrNothing(t *testing.T) {
	for n := 0; ; n++ {
		var count int
		d := &Disk{Before: func(op Op) error {
			count++
			switch {
			case count > n+1:
				return unix.EIO
			case count == n+1 && op.Kind == OpWrite:
				return &Short{Written: 3, Err: unix.EIO}
			case count == n+1:
				return unix.EIO
			}
			return nil
		}}
		path := filepath.Join(t.TempDir(), "name")
		err := d.Publish(path, []byte("content"))
		if _, statErr := os.Stat(path); statErr == nil && read(t, path) != "content" {
			t.Fatalf("fault at change %d: %q", n, read(t, path))
		}
		if err == nil {
			break
		}
		if err := new(Disk).Publish(path, []byte("content")); err != nil && !errors.Is(err, ErrExists) || read(t, path) != "content" {
			t.Fatalf("again after a fault at change %d: %v", n, err)
		}
	}
}

func TestAFailureIsFinal(t *testing.T) {
	for _, kind := range []OpKind{OpWrite, OpSync} {
		var fault atomic.Bool
		var fsyncs int
		d := &Disk{Before: func(op Op) error {
			if op.Kind == OpSync {
				fsyncs++
			}
			if op.Kind == kind && fault.Load() {
				return unix.EIO
			}
			return nil
		}}
		f, err := d.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		fault.Store(true)
		if err := errors.Join(f.WriteAt(0, []byte("x")), f.Sync()); !errors.Is(err, unix.EIO) {
			t.Fatalf("%s: %v", kind, err)
		}
		fault.Store(false)
		before := fsyncs
		if err := f.WriteAt(0, []byte("x")); !errors.Is(err, ErrFailed) {
			t.Errorf("write after a failed %s: %v", kind, err)
		}
		if err := f.Sync(); !errors.Is(err, ErrFailed) || fsyncs != before {
			t.Errorf("fsync after a failed %s: %v", kind, err)
		}
		_ = f.Close()
	}
}

func TestWriteAtJoinsItsPieces(t *testing.T) {
	f, err := new(Disk).Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var pieces [][]byte
	var want []byte
	for i := range 3000 { // more than one pwritev takes
		piece := bytes.Repeat([]byte{byte(i)}, i%5)
		pieces, want = append(pieces, piece), append(want, piece...)
	}
	if err := f.WriteAt(10, pieces...); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := f.ReadAt(got, 10); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v, %d bytes differ", err, len(want))
	}
	if size, err := f.Size(); err != nil || size != int64(10+len(want)) || len(pieces[4]) != 4 {
		t.Errorf("size %d, %v; the pieces were changed: %d", size, err, len(pieces[4]))
	}
}

// A real full disk: the limit on file size makes the kernel write less than was asked, then nothing.
func TestShortWritesOfTheKernel(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	full := &File{disk: new(Disk), file: f}
	defer full.Close()
	if err := full.WriteAt(0, []byte("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("write to a full device: %v", err)
	}
}

func TestReplaceAndMove(t *testing.T) {
	d, dir := new(Disk), t.TempDir()
	path := filepath.Join(dir, "name")
	for _, content := range []string{"one", "two"} {
		f, err := d.Create(path + ".part")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := f.Replace(path); err != nil || read(t, path) != content {
			t.Fatalf("replace: %v, %q", err, read(t, path))
		}
	}
	if err := d.Move(path, path+".bad"); err != nil || read(t, path+".bad") != "two" || len(names(t, dir)) != 1 {
		t.Fatalf("move: %v, %v", err, names(t, dir))
	}
	if err := os.WriteFile(path, []byte("three"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Move(path, path+".bad"); !errors.Is(err, ErrExists) || read(t, path+".bad") != "two" || read(t, path) != "three" {
		t.Errorf("move over: %v", err)
	}
	if _, err := d.Create(path); !errors.Is(err, ErrExists) {
		t.Errorf("create over: %v", err)
	}
	for range 2 {
		if err := d.Remove(path); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
}

func TestALockHasOneHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(path, []byte("id"), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, content, err := Acquire(path)
	if err != nil || string(content) != "id" {
		t.Fatalf("%v, %q", err, content)
	}
	if _, _, err := Acquire(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second holder: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if lock, _, err = Acquire(path); err != nil {
		t.Errorf("after release: %v", err)
	}
	_ = lock.Release()
	if _, _, err := Acquire(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestLinkedSeesARemovedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, err := new(Disk).Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if linked, err := f.Linked(); !linked || err != nil {
		t.Errorf("%t, %v", linked, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if linked, err := f.Linked(); linked || err != nil {
		t.Errorf("removed: %t, %v", linked, err)
	}
}
