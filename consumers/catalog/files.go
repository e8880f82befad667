package catalog

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unique"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"stripeline/schemas"
)

const answerPrefix = "command/"

// Files is a view of the files topic: entries by path and answers by command. Make one with NewFiles.
type Files struct {
	paths    board[string]
	entries  *iradix.Tree[schemas.Entry] // guarded by paths
	commands board[schemas.CommandID]
	answers  map[schemas.CommandID]schemas.Answer // guarded by commands
}

// NewFiles makes an empty view.
func NewFiles() *Files {
	return &Files{entries: iradix.New[schemas.Entry](), answers: map[schemas.CommandID]schemas.Answer{}}
}

// Put takes in one record of the files topic; record is nil for a tombstone. Positions are passed over. So is content
// of an older catalog epoch than that held: it comes from before a rebuild.
func (f *Files) Put(key []byte, record *schemas.FileRecord) {
	switch {
	case record == nil && bytes.HasPrefix(key, []byte("/")):
		f.paths.change(string(key), func() { f.entries, _, _ = f.entries.Delete(key) })
	case record == nil:
		f.forget(key)
	case record.Entry != nil:
		e := cloneEntry(record.Entry)
		f.paths.change(e.Path, func() {
			if held, _ := f.entries.Get([]byte(e.Path)); !e.Committed() || e.Version.Epoch() >= held.Version.Epoch() {
				f.entries, _, _ = f.entries.Insert([]byte(e.Path), e)
			}
		})
	case record.Answer != nil:
		a := cloneAnswer(record.Answer)
		f.commands.change(a.Command, func() { f.answers[a.Command] = a })
	}
}

// forget drops the answer whose key this is, if it is one's.
func (f *Files) forget(key []byte) {
	var id schemas.CommandID
	digits, ok := bytes.CutPrefix(key, []byte(answerPrefix))
	if !ok || len(digits) != hex.EncodedLen(len(id)) {
		return
	}
	if _, err := hex.Decode(id[:], digits); err == nil {
		f.commands.change(id, func() { delete(f.answers, id) })
	}
}

// Lookup gives the entry of a path. An entry that is not Committed has only opens, and no content to read.
func (f *Files) Lookup(path string) (schemas.Entry, bool) { return f.snapshot().Get([]byte(path)) }

// Answer gives the answer to a command.
func (f *Files) Answer(id schemas.CommandID) (schemas.Answer, bool) {
	f.commands.mu.RLock()
	defer f.commands.mu.RUnlock()
	a, ok := f.answers[id]
	return a, ok
}

// AwaitEntry returns a path's entry once holds says yes to it; there is none when found is false. holds must be quick and
// must not ask the view. The error is why ctx ended.
func (f *Files) AwaitEntry(ctx context.Context, path string, holds func(e schemas.Entry, found bool) bool) (schemas.Entry, error) {
	var e schemas.Entry
	err := f.paths.await(ctx, path, func() bool {
		var found bool
		e, found = f.entries.Get([]byte(path))
		return holds(e, found)
	})
	if err != nil {
		return schemas.Entry{}, fmt.Errorf("wait for the entry of %s: %w", path, err)
	}
	return e, nil
}

// AwaitAnswer returns the answer to a command once it is there. The error is why ctx ended.
func (f *Files) AwaitAnswer(ctx context.Context, id schemas.CommandID) (schemas.Answer, error) {
	var a schemas.Answer
	err := f.commands.await(ctx, id, func() bool {
		var found bool
		a, found = f.answers[id]
		return found
	})
	if err != nil {
		return schemas.Answer{}, fmt.Errorf("wait for the answer to command %s: %w", id, err)
	}
	return a, nil
}

// Item is one line of a listing: a path with content, or, with Entry nil, what several of them begin with.
type Item struct {
	Path  string
	Entry *schemas.Entry
}

// List gives the paths with content that begin with prefix, in byte order, as the view holds them now. With a delimiter,
// those that have it behind the prefix are given as one item that ends with it; with delimiter "" each is given.
func (f *Files) List(prefix, delimiter string) iter.Seq[Item] {
	entries := f.snapshot()
	return func(yield func(Item) bool) {
		it := entries.Root().Iterator()
		it.SeekLowerBound([]byte(prefix))
		for {
			_, e, ok := it.Next()
			if !ok || !strings.HasPrefix(e.Path, prefix) {
				return
			}
			if !e.Committed() {
				continue
			}
			item := Item{Path: e.Path, Entry: &e}
			if at := strings.Index(e.Path[len(prefix):], delimiter); delimiter != "" && at >= 0 {
				item = Item{Path: e.Path[:len(prefix)+at+len(delimiter)]}
				it = entries.Root().Iterator()
				it.SeekLowerBound([]byte(item.Path + "\xff")) // no byte of UTF-8
			}
			if !yield(item) {
				return
			}
		}
	}
}

func (f *Files) snapshot() *iradix.Tree[schemas.Entry] {
	f.paths.mu.RLock()
	defer f.paths.mu.RUnlock()
	return f.entries
}

func cloneEntry(e *schemas.Entry) schemas.Entry {
	c := *e
	c.Path, c.Policy, c.Extents = strings.Clone(e.Path), intern(e.Policy), slices.Clone(e.Extents)
	c.Metadata = maps.Collect(func(yield func(string, string) bool) {
		for key, value := range e.Metadata {
			if !yield(strings.Clone(key), strings.Clone(value)) {
				return
			}
		}
	})
	c.Opens = slices.Clone(e.Opens)
	for i := range c.Opens {
		o := &c.Opens[i]
		o.Policy, o.Granted = intern(o.Policy), slices.Clone(o.Granted)
	}
	return c
}

func cloneAnswer(a *schemas.Answer) schemas.Answer {
	c := *a
	c.Path, c.Code, c.Message = strings.Clone(a.Path), intern(a.Code), strings.Clone(a.Message)
	c.Granted = slices.Clone(a.Granted)
	return c
}

// intern keeps one copy of a text that many records have.
func intern(s string) string { return unique.Make(s).Value() }
