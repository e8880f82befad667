package catalog

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"stripeline/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func entryOf(path string, version schemas.Generation) *schemas.FileRecord {
	return &schemas.FileRecord{Entry: &schemas.Entry{Path: path, Version: version}}
}

func (f *Files) putEntry(path string, version schemas.Generation) {
	f.Put([]byte(path), entryOf(path, version))
}

func TestFilesFollowTheLog(t *testing.T) {
	f := NewFiles()
	want := func(path string, version schemas.Generation, found bool) {
		t.Helper()
		if e, ok := f.Lookup(path); ok != found || e.Version != version {
			t.Errorf("lookup %s: version %s, %t; want %s, %t", path, e.Version, ok, version, found)
		}
	}
	old, young := schemas.NewGeneration(1, 900), schemas.NewGeneration(2, 3)
	want("/a", 0, false)
	f.putEntry("/a", old)
	want("/a", old, true)
	f.putEntry("/a", young)
	f.putEntry("/a", old) // from before a rebuild
	want("/a", young, true)
	f.putEntry("/a", young-1) // log order decides within an epoch
	want("/a", young-1, true)
	f.putEntry("/a", 0) // only opens are left
	want("/a", 0, true)
	f.Put([]byte("/a"), nil)
	want("/a", 0, false)
	f.Put(schemas.PositionKey("namespace"), &schemas.FileRecord{Position: &schemas.Position{Link: "namespace"}})
	f.Put(schemas.PositionKey("namespace"), nil)
	f.Put([]byte("command/xyz"), nil)
}

func TestAnswersComeAndGo(t *testing.T) {
	f := NewFiles()
	id := schemas.NewCommandID()
	f.Put(schemas.AnswerKey(id), &schemas.FileRecord{Answer: &schemas.Answer{Command: id, Code: schemas.AnswerOK}})
	if a, ok := f.Answer(id); !ok || a.Code != schemas.AnswerOK {
		t.Errorf("answer: %+v, %t", a, ok)
	}
	if _, ok := f.Answer(schemas.NewCommandID()); ok {
		t.Error("an answer that nobody gave")
	}
	f.Put(schemas.AnswerKey(id), nil)
	if _, ok := f.Answer(id); ok {
		t.Error("the answer outlived its tombstone")
	}
}

func TestNothingOfARecordIsKept(t *testing.T) {
	f, v := NewFiles(), NewBlocks()
	file := &schemas.FileRecord{Entry: &schemas.Entry{Path: "/a", Version: 1, Extents: []schemas.Extent{{Length: 1}},
		Metadata: map[string]string{"k": "v"}, Opens: []schemas.Open{{Next: 1, Granted: []schemas.Numbers{{Count: 1}}}}}}
	id := schemas.NewCommandID()
	answer := &schemas.FileRecord{Answer: &schemas.Answer{Command: id, Granted: []schemas.Numbers{{Count: 1}}}}
	block := &schemas.BlockRecord{Block: &schemas.Block{Runs: []schemas.Run{{Count: 1}}, CRCs: []byte{1}, Missing: []int32{1},
		Shards: []schemas.Shard{{Index: 1, Ranges: []schemas.Range{{Last: 1}}}}}}
	f.Put([]byte("/a"), file)
	f.Put(schemas.AnswerKey(id), answer)
	v.Put(nil, block)
	file.Entry.Extents[0].Length, file.Entry.Metadata["k"] = 2, "x"
	file.Entry.Opens[0].Granted[0].Count, file.Entry.Opens[0].Next = 2, 2
	answer.Answer.Granted[0].Count = 2
	b := block.Block
	b.Runs[0].Count, b.CRCs[0], b.Missing[0], b.Shards[0].Ranges[0].Last, b.Shards[0].Index = 2, 2, 2, 2, 2
	e, _ := f.Lookup("/a")
	a, _ := f.Answer(id)
	held, _ := v.Lookup(b.ID)
	if e.Extents[0].Length != 1 || e.Metadata["k"] != "v" || e.Opens[0].Next != 1 || e.Opens[0].Granted[0].Count != 1 || a.Granted[0].Count != 1 {
		t.Errorf("kept: %+v %+v", e, a)
	}
	if held.Runs[0].Count != 1 || held.CRCs[0] != 1 || held.Missing[0] != 1 || held.Shards[0].Index != 1 || held.Shards[0].Ranges[0].Last != 1 {
		t.Errorf("kept: %+v", held)
	}
}

func names(f *Files, prefix, delimiter string) []string {
	var all []string
	for item := range f.List(prefix, delimiter) {
		if (item.Entry == nil) == (delimiter != "" && strings.HasSuffix(item.Path, delimiter)) {
			all = append(all, item.Path)
		}
	}
	return all
}

func TestList(t *testing.T) {
	f := NewFiles()
	for _, path := range []string{"/a", "/b/c/d", "/b/c/e", "/b/f", "/b", "/bc/g", "/b/é/h"} {
		f.putEntry(path, 1)
	}
	f.putEntry("/open/only", 0)
	for _, c := range []struct {
		prefix, delimiter string
		want              []string
	}{
		{"", "", []string{"/a", "/b", "/b/c/d", "/b/c/e", "/b/f", "/b/é/h", "/bc/g"}},
		{"/", "/", []string{"/a", "/b", "/b/", "/bc/"}},
		{"/b", "/", []string{"/b", "/b/", "/bc/"}},
		{"/b/", "/", []string{"/b/c/", "/b/f", "/b/é/"}},
		{"/b/c", "/", []string{"/b/c/"}},
		{"/b/c/", "/", []string{"/b/c/d", "/b/c/e"}},
		{"/b/c/d", "", []string{"/b/c/d"}},
		{"/x", "/", nil},
	} {
		if got := names(f, c.prefix, c.delimiter); !slices.Equal(got, c.want) {
			t.Errorf("list %q by %q: %q, want %q", c.prefix, c.delimiter, got, c.want)
		}
	}
	for item := range f.List("", "") {
		f.Put([]byte(item.Path), nil) // a listing is of the moment when it was asked for
		if item.Path == "/b" {
			break
		}
	}
	if got := names(f, "", "")[0]; got != "/b/c/d" {
		t.Errorf("first path left: %s", got)
	}
}

func TestListIsWhatADumbListSays(t *testing.T) {
	path := rapid.StringMatching(`(/[ab]{1,2}){1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		f := NewFiles()
		have := map[string]bool{}
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			p := path.Draw(t, "path")
			if have[p] = rapid.IntRange(0, 3).Draw(t, "kept") > 0; have[p] {
				f.putEntry(p, 1)
			} else {
				f.Put([]byte(p), nil)
			}
		}
		prefix, delimiter := path.Draw(t, "prefix"), rapid.SampledFrom([]string{"", "/", "b"}).Draw(t, "delimiter")
		prefix = prefix[:rapid.IntRange(0, len(prefix)).Draw(t, "length")]
		var want []string
		for p, there := range have {
			if !there || !strings.HasPrefix(p, prefix) {
				continue
			}
			if at := strings.Index(p[len(prefix):], delimiter); delimiter != "" && at >= 0 {
				p = p[:len(prefix)+at+len(delimiter)]
			}
			want = append(want, p)
		}
		slices.Sort(want)
		var got []string
		for item := range f.List(prefix, delimiter) {
			got = append(got, item.Path)
		}
		if want = slices.Compact(want); !slices.Equal(got, want) {
			t.Fatalf("list %q by %q: %q, want %q", prefix, delimiter, got, want)
		}
	})
}

func blockOf(id schemas.BlockID, change func(*schemas.Block)) ([]byte, *schemas.BlockRecord) {
	b := schemas.Block{ID: id, State: schemas.BlockOpen}
	change(&b)
	return id[:], &schemas.BlockRecord{Block: &b}
}

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
