package textfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"stripeline/producers/textfile"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.csv", ".hidden.csv", "c.txt"} {
		write(t, filepath.Join(dir, name), "x")
	}
	w, err := textfile.OpenWatch(dir, "*.csv", 1)
	if err != nil {
		t.Fatal(err)
	}
	next := func(want string) string {
		t.Helper()
		path, err := w.Next(t.Context())
		if err != nil || path != filepath.Join(dir, want) {
			t.Fatalf("next is %s, %v; want %s", path, err, want)
		}
		return path
	}
	a, b := next("a.csv"), next("b.csv")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if path, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a file is given twice: %s, %v", path, err)
	}
	if err := errors.Join(w.Done(a), w.Failed(b)); err != nil {
		t.Fatal(err)
	}
	write(t, a, "y") // the same name comes again
	if err := w.Done(next("a.csv")); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{".hidden.csv", "c.txt", "done/a.csv", "done/a.csv.1", "failed/b.csv"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

func TestWatchRefuses(t *testing.T) {
	if _, err := textfile.OpenWatch(filepath.Join(t.TempDir(), "none"), "", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
	if _, err := textfile.OpenWatch(t.TempDir(), "[", 1); !errors.Is(err, filepath.ErrBadPattern) {
		t.Errorf("a pattern that is none: %v", err)
	}
}
