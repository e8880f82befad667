package catalog

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"

	"stripeline/schemas"
)

// waits runs a wait and gives a channel with its outcome.
func waits[T any](wait func() (T, error)) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := wait()
		done <- err
	}()
	return done
}

func pending(t *testing.T, done <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		t.Fatalf("the wait ended too early: %v", err)
	default:
	}
}

func TestWaitsEndWhenWhatTheyWaitForIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, v := t.Context(), NewBlocks()
		id, other := schemas.NewFileID().Block(1), schemas.NewFileID().Block(2)
		closed := waits(func() (schemas.Block, error) { return v.AwaitClosed(ctx, id) })
		stored := waits(func() (schemas.Block, error) { return v.AwaitStored(ctx, id, 3) })
		full := waits(func() (schemas.Block, error) { return v.AwaitFull(ctx, id, 3) })
		beyond := waits(func() (schemas.Block, error) { return v.AwaitStored(ctx, id, 4) })
		pending(t, closed)
		v.Put(blockOf(other, func(b *schemas.Block) { b.State, b.Stored = schemas.BlockSealed, 9 }))
		v.Put(blockOf(id, func(b *schemas.Block) { b.Stored = 2 }))
		pending(t, stored)
		v.Put(blockOf(id, func(b *schemas.Block) { b.Stored, b.Full = 3, 2 }))
		if err := <-stored; err != nil {
			t.Error(err)
		}
		pending(t, closed)
		pending(t, beyond)
		runs := []schemas.Run{{Length: 1, Count: 3}}
		v.Put(blockOf(id, func(b *schemas.Block) { b.State, b.Stored, b.Full, b.Runs = schemas.BlockDegraded, 3, 2, runs }))
		if err := errors.Join(<-closed, <-beyond); err != nil {
			t.Error(err)
		}
		pending(t, full)
		v.Put(blockOf(id, func(b *schemas.Block) { b.State, b.Stored, b.Full, b.Runs = schemas.BlockSealed, 3, 3, runs }))
		if err := <-full; err != nil {
			t.Error(err)
		}
		v.Put(id[:], nil)
		gone := waits(func() (schemas.Block, error) { return v.AwaitFull(ctx, id, 1) })
		pending(t, gone)
		v.Put(blockOf(id, func(b *schemas.Block) { b.State = schemas.BlockDeleted }))
		if err := <-gone; err != nil {
			t.Error(err)
		}
	})
}

func TestWaitsForNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, id := NewFiles(), schemas.NewCommandID()
		answer := waits(func() (schemas.Answer, error) { return f.AwaitAnswer(t.Context(), id) })
		second := waits(func() (schemas.Entry, error) {
			return f.AwaitEntry(t.Context(), "/a", func(e schemas.Entry, _ bool) bool { return e.Version == 2 })
		})
		f.putEntry("/a", 1)
		pending(t, second)
		f.putEntry("/a", 2)
		gone := waits(func() (schemas.Entry, error) {
			return f.AwaitEntry(t.Context(), "/a", func(_ schemas.Entry, found bool) bool { return !found })
		})
		pending(t, answer)
		pending(t, gone)
		f.Put([]byte("/a"), nil)
		f.Put(schemas.AnswerKey(id), &schemas.FileRecord{Answer: &schemas.Answer{Command: id}})
		if err := errors.Join(<-answer, <-second, <-gone); err != nil {
			t.Error(err)
		}
	})
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("reason")
		ctx, cancel := context.WithCancelCause(t.Context())
		f, v := NewFiles(), NewBlocks()
		waiting := []<-chan error{
			waits(func() (schemas.Answer, error) { return f.AwaitAnswer(ctx, schemas.CommandID{1}) }),
			waits(func() (schemas.Entry, error) {
				return f.AwaitEntry(ctx, "/a", func(_ schemas.Entry, found bool) bool { return found })
			}),
			waits(func() (schemas.Block, error) { return v.AwaitClosed(ctx, schemas.BlockID{1}) }),
			waits(func() (schemas.Block, error) { return v.AwaitClosed(ctx, schemas.BlockID{1}) }),
		}
		for _, w := range waiting {
			pending(t, w)
		}
		cancel(reason)
		for i, w := range waiting {
			if err := <-w; !errors.Is(err, reason) {
				t.Errorf("wait %d: %v", i, err)
			}
		}
		if len(v.ids.calls)+len(f.paths.calls)+len(f.commands.calls) > 0 {
			t.Error("calls that nobody waits for are kept")
		}
	})
}

func TestViewsAreSafeForConcurrentUse(t *testing.T) {
	f, v := NewFiles(), NewBlocks()
	const writers, rounds = 4, 200
	var all sync.WaitGroup
	for w := range writers {
		path, id := fmt.Sprintf("/v/%d", w), schemas.FileID{byte(w)}.Block(0)
		all.Go(func() {
			for i := range rounds {
				f.putEntry(path, schemas.Generation(i+1))
				v.Put(blockOf(id, func(b *schemas.Block) { b.Stored = int32(i + 1) }))
				for range f.List("/v/", "/") {
				}
			}
		})
		all.Go(func() {
			for i := range rounds {
				if b, err := v.AwaitStored(t.Context(), id, int32(i+1)); err != nil || b.Stored <= int32(i) {
					t.Errorf("stored %d: %v", b.Stored, err)
				}
			}
			e, err := f.AwaitEntry(t.Context(), path, func(e schemas.Entry, _ bool) bool { return e.Version == rounds })
			if held, _ := f.Lookup(path); err != nil || !reflect.DeepEqual(e, held) {
				t.Errorf("entry %+v, looked up %+v: %v", e, held, err)
			}
		})
	}
	all.Wait()
}
