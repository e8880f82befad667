package logtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"stripeline/schemas/registry"
)

// Opened is a log to be tested, empty, with its current term. Elect begins a new term, ending the old one.
type Opened struct {
	Log   registry.Log
	Term  int64
	Elect func() int64
}

// Conformance runs what a registry relies on against logs that open makes, one per test.
func Conformance(t *testing.T, open func(t *testing.T) Opened) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, context.Context, Opened)
	}{
		{"an append is read back in order", inOrder},
		{"a tombstone has no value", tombstone},
		{"the end is reached, markers and all", reachesEnd},
		{"a second reader starts at the start", secondReader},
		{"an ended term writes nothing", fenced},
		{"following ends with its context", ends},
		{"following ends with the reader's error", fails},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c.run(t, ctx, open(t))
		})
	}
}

// readTo follows a log until a position and returns the records before it.
func readTo(t *testing.T, ctx context.Context, log registry.Log, position int64) []registry.Record {
	t.Helper()
	done := errors.New("far enough")
	var got []registry.Record
	var at int64
	err := log.Follow(ctx, func(records []registry.Record, next int64) error {
		if next < at {
			t.Errorf("the position went back from %d to %d", at, next)
		}
		at = next
		got = append(got, records...)
		if next >= position {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatalf("follow to %d: got to %d: %v", position, at, err)
	}
	return got
}

func write(t *testing.T, ctx context.Context, o Opened, keys ...string) int64 {
	t.Helper()
	var records []registry.Record
	for _, key := range keys {
		records = append(records, registry.Record{Key: []byte(key), Value: []byte("value of " + key)})
	}
	last, err := o.Log.Append(ctx, o.Term, records)
	if err != nil {
		t.Fatalf("append %v: %v", keys, err)
	}
	return last
}

func wantKeys(t *testing.T, got []registry.Record, keys ...string) {
	t.Helper()
	var have []string
	for i, rec := range got {
		have = append(have, string(rec.Key))
		if i > 0 && rec.Offset <= got[i-1].Offset {
			t.Errorf("offset %d follows %d", rec.Offset, got[i-1].Offset)
		}
	}
	if fmt.Sprint(have) != fmt.Sprint(keys) {
		t.Errorf("got keys %v, want %v", have, keys)
	}
}

func inOrder(t *testing.T, ctx context.Context, o Opened) {
	write(t, ctx, o, "a", "b")
	last := write(t, ctx, o, "c")
	got := readTo(t, ctx, o.Log, last+1)
	wantKeys(t, got, "a", "b", "c")
	if end := got[len(got)-1]; end.Offset != last || string(end.Value) != "value of c" {
		t.Errorf("the last record is %d %q, want %d", end.Offset, end.Value, last)
	}
}

func tombstone(t *testing.T, ctx context.Context, o Opened) {
	last, err := o.Log.Append(ctx, o.Term, []registry.Record{{Key: []byte("a")}, {Key: []byte("b"), Value: []byte{}}})
	if err != nil {
		t.Fatal(err)
	}
	got := readTo(t, ctx, o.Log, last+1)
	wantKeys(t, got, "a", "b")
	if got[0].Value != nil {
		t.Errorf("a tombstone came back as %q", got[0].Value)
	}
}

func reachesEnd(t *testing.T, ctx context.Context, o Opened) {
	if end, err := o.Log.End(ctx); err != nil || end != 0 {
		t.Fatalf("end of an empty log: %d, %v", end, err)
	}
	last := write(t, ctx, o, "a")
	end, err := o.Log.End(ctx)
	if err != nil || end <= last {
		t.Fatalf("end is %d after offset %d: %v", end, last, err)
	}
	wantKeys(t, readTo(t, ctx, o.Log, end), "a")
}

func secondReader(t *testing.T, ctx context.Context, o Opened) {
	last := write(t, ctx, o, "a")
	readTo(t, ctx, o.Log, last+1)
	wantKeys(t, readTo(t, ctx, o.Log, last+1), "a")
}

func fenced(t *testing.T, ctx context.Context, o Opened) {
	write(t, ctx, o, "a")
	old := o.Term
	o.Term = o.Elect()
	last := write(t, ctx, o, "b")
	if _, err := o.Log.Append(ctx, old, []registry.Record{{Key: []byte("stale")}}); !errors.Is(err, registry.ErrNotLeader) {
		t.Errorf("append in an ended term: %v, want ErrNotLeader", err)
	}
	end, err := o.Log.End(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, readTo(t, ctx, o.Log, max(end, last+1)), "a", "b")
}

func ends(t *testing.T, ctx context.Context, o Opened) {
	last := write(t, ctx, o, "a")
	ctx, cancel := context.WithCancel(ctx)
	err := o.Log.Follow(ctx, func(_ []registry.Record, next int64) error {
		if next > last {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("follow returned %v, want the context's error", err)
	}
}

func fails(t *testing.T, ctx context.Context, o Opened) {
	write(t, ctx, o, "a")
	mine := errors.New("mine")
	if err := o.Log.Follow(ctx, func([]registry.Record, int64) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("follow returned %v, want the reader's error", err)
	}
}
