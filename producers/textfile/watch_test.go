package textfile_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"stripeline/producers/textfile"
)

// watching is a directory with a watch on it, in a bubble whose clock moves when everything waits.
type watching struct {
	t   *testing.T
	dir string
	w   *textfile.Watch
}

func watch(t *testing.T, o textfile.WatchOptions, test func(w *watching)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, err := textfile.OpenWatch(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		test(&watching{t, dir, w})
	})
}

// write writes a file that is so many seconds old.
func (w *watching) write(name, text string, age int) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	err := os.WriteFile(path, []byte(text), 0o644)
	if err == nil {
		at := time.Now().Add(-time.Duration(age) * time.Second)
		err = os.Chtimes(path, at, at)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// next expects a file to come and takes it away.
func (w *watching) next(want string) {
	w.t.Helper()
	a, err := w.w.Next(w.t.Context())
	if err != nil || filepath.Base(a.Path) != want || a.Changed() {
		w.t.Fatalf("next is %s, %v; want %s", a.Path, err, want)
	}
	if err := os.Remove(a.Path); err != nil || !a.Changed() {
		w.t.Fatalf("%v, and a file that is gone has not changed", err)
	}
}

// none expects no file to come within a time.
func (w *watching) none(d time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	if a, err := w.w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		w.t.Fatalf("next is %s, %v; want none", a.Path, err)
	}
}

func TestWatchGivesWhatHasSettledTheOldestFirst(t *testing.T) {
	watch(t, textfile.WatchOptions{}, func(w *watching) {
		w.write("new.csv", "x", 1)
		w.write("b.csv", "x", 5)
		w.write("a.csv", "x", 5)
		for _, name := range []string{".hidden.csv", "c.csv.tmp", "d.part"} {
			w.write(name, "x", 9)
		}
		if err := os.Mkdir(filepath.Join(w.dir, "done"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"a.csv", "b.csv", "new.csv"} {
			w.next(want)
		}
		w.none(time.Hour)
		w.write("a.csv", "the same name comes again", 0)
		w.next("a.csv")
	})
}

func TestWatchLeavesAFileThatIsWrittenTo(t *testing.T) {
	watch(t, textfile.WatchOptions{Settle: time.Minute}, func(w *watching) {
		text := "x"
		for range 5 {
			w.write("slow.csv", text, 100)
			w.none(55 * time.Second)
			text += "x"
		}
		w.write("slow.csv", text, 90) // only its time has changed
		w.none(55 * time.Second)
		w.next("slow.csv")
	})
}

func TestWatchOnceGivesWhatIsThereAndEnds(t *testing.T) {
	watch(t, textfile.WatchOptions{Once: true}, func(w *watching) {
		w.write("b.csv", "x", 2)
		w.write("a.csv", "x", 3)
		w.write("c.csv", "x", 1)
		w.write("slow.csv", "x", 4)
		time.AfterFunc(time.Second/2, func() {
			w.write("slow.csv", "xx", 0)
			w.write("late.csv", "x", 9)
		})
		w.next("a.csv")
		w.write("b.csv", "changed since", 2)
		w.next("c.csv")
		if a, err := w.w.Next(t.Context()); err != io.EOF {
			t.Errorf("%s %v", a.Path, err)
		}
	})
}

func TestWatchRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := textfile.OpenWatch(filepath.Join(dir, "none"), textfile.WatchOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := textfile.OpenWatch(name, textfile.WatchOptions{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a file: %v", err)
	}
}
