package reader

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"stripeline/schemas"
)

// hanging is a shard file that answers when release is closed.
type hanging struct {
	ShardFile
	release <-chan struct{}
}

func (h *hanging) ReadAt(p []byte, off int64) (int, error) {
	<-h.release
	return h.ShardFile.ReadAt(p, off)
}

func TestHungShardsAreHedged(t *testing.T) {
	const policy = "RS-6-3-4k"
	c := build(t, policy, pattern(30*6*4096), whole(policy, 15))
	for _, hung := range [][]int32{{0}, {5, 2}, {0, 3, 6}, {6, 7, 8}} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			c.wrap = func(s schemas.Shard, f ShardFile) ShardFile {
				for _, index := range hung {
					if s.Index == index {
						return &hanging{f, release}
					}
				}
				return f
			}
			defer func() { c.wrap = nil }()
			c.damage = nil
			f, err := Open(context.Background(), c.source(), c.entry)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			got, err := readAll(f)
			if err != nil || !bytes.Equal(got, c.data) {
				t.Fatalf("%v hung: %v", hung, err)
			}
			comparePread(t, c, f, 5, 3*4096)
			if waited := time.Since(begin); waited > 4*DefaultHedge {
				t.Errorf("%v hung: waited %v", hung, waited)
			}
			if len(c.damage) > 0 {
				t.Errorf("slowness is no damage: %+v", c.damage)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			close(release)
			synctest.Wait()
		})
		if n := c.opened.Load(); n != 0 {
			t.Fatalf("%d shard files are open", n)
		}
	}
}

// TestTooManyHang waits for shards that nothing can replace: to their answer, or to the deadline.
func TestTooManyHang(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(5*3*4096), whole(policy, 15))
	for _, late := range []time.Duration{10 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			timer := time.AfterFunc(late, func() { close(release) })
			defer timer.Stop()
			c.wrap = func(s schemas.Shard, f ShardFile) ShardFile {
				if s.Index > 1 {
					return &hanging{f, release}
				}
				return f
			}
			f, err := Open(context.Background(), c.source(), c.entry)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(f)
			var lost *LostError
			switch {
			case late < DefaultDeadline && (err != nil || !bytes.Equal(got, c.data)):
				t.Errorf("answer after %v: %v", late, err)
			case late > DefaultDeadline && (!errors.As(err, &lost) || len(lost.Faults) != 3 || !errors.Is(lost.Faults[0].Reason, ErrHung)):
				t.Errorf("answer after %v: %v", late, err)
			}
			if len(c.damage) > 0 {
				t.Errorf("slowness is no damage: %+v", c.damage)
			}
			_ = f.Close()
			<-release
			synctest.Wait()
		})
	}
}

func TestCloseEndsReads(t *testing.T) {
	const policy = "RS-3-2-4k"
	c := build(t, policy, pattern(5*3*4096), whole(policy, 15))
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c.wrap = func(_ schemas.Shard, f ShardFile) ShardFile { return &hanging{f, release} }
		f, err := Open(context.Background(), c.source(), c.entry)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, err := f.ReadAt(make([]byte, len(c.data)), 0)
			done <- err
		}()
		synctest.Wait()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, os.ErrClosed) {
			t.Errorf("pread under Close: %v", err)
		}
		if _, err := f.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read behind Close: %v", err)
		}
		if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("pread behind Close: %v", err)
		}
		if err := f.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
		close(release)
		synctest.Wait()
	})
}
