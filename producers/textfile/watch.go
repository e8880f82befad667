package textfile

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// defaultSettle is how long a file must not change before it is taken.
const defaultSettle = time.Second

// WatchOptions say when files are taken.
type WatchOptions struct {
	Settle time.Duration // how long a file must have the same size and time before it is taken; 0 is one second
	Once   bool          // only what is there at the first Next
}

// Watch gives the files of a directory as they arrive: regular files that have not changed for a while, the oldest modification time first, then by
// name. Names that begin with a point or end in .tmp or .part are left alone, so a writer that pauses for longer uses one and renames. It is used by
// one goroutine.
type Watch struct {
	dir   string
	o     WatchOptions
	seen  map[string]arrived // what was there when it was looked last, by name
	left  []Arrival          // with Once: what is still to be given
	begun bool
}

// arrived is a file with the moment since which it is as it is.
type arrived struct {
	Arrival
	since time.Time
}

// Arrival is a file as it was when it was taken.
type Arrival struct {
	Path string
	size int64
	time time.Time
}

// Changed says whether the file is not the one that was taken any more: it was written to, or it is gone.
func (a Arrival) Changed() bool {
	info, err := os.Lstat(a.Path)
	return err != nil || info.Size() != a.size || !info.ModTime().Equal(a.time)
}

// OpenWatch watches a directory.
func OpenWatch(dir string, o WatchOptions) (*Watch, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("watch %s: %w: is a file: name the directory that it is in", dir, fs.ErrInvalid)
	}
	if o.Settle == 0 {
		o.Settle = defaultSettle
	}
	return &Watch{dir: dir, o: o, seen: map[string]arrived{}}, nil
}

// Next gives the next file and waits for one; with Once it gives io.EOF behind the last. What was given comes again if it is still there when Next is
// called again: move it away. It ends with ctx.
func (w *Watch) Next(ctx context.Context) (Arrival, error) {
	if w.o.Once {
		return w.present(ctx)
	}
	for {
		settled, err := w.look()
		if err != nil || len(settled) > 0 {
			return first(settled), err
		}
		if err := w.rest(ctx, max(w.o.Settle/4, 1)); err != nil {
			return Arrival{}, err
		}
	}
}

// present looks twice, then gives what had not changed between.
func (w *Watch) present(ctx context.Context) (Arrival, error) {
	if !w.begun {
		if _, err := w.look(); err != nil {
			return Arrival{}, err
		}
		before := w.seen
		if err := w.rest(ctx, w.o.Settle); err != nil {
			return Arrival{}, err
		}
		settled, err := w.look()
		if err != nil {
			return Arrival{}, err
		}
		w.begun = true
		w.left = slices.DeleteFunc(settled, func(a Arrival) bool {
			_, known := before[filepath.Base(a.Path)]
			return !known
		})
	}
	for len(w.left) > 0 {
		next := w.left[0]
		if w.left = w.left[1:]; !next.Changed() {
			return next, ctx.Err()
		}
	}
	return Arrival{}, io.EOF
}

func (w *Watch) rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// look goes through the directory once and gives what has settled, in order.
func (w *Watch) look() ([]Arrival, error) {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", w.dir, err)
	}
	now, seen := time.Now(), map[string]arrived{}
	var settled []Arrival
	for _, entry := range entries {
		name := entry.Name()
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || leftAlone(name) {
			continue
		}
		is := Arrival{filepath.Join(w.dir, name), info.Size(), info.ModTime()}
		known, ok := w.seen[name]
		if !ok || known.Arrival != is {
			known = arrived{is, now}
		}
		seen[name] = known
		if now.Sub(known.since) >= w.o.Settle {
			settled = append(settled, is)
		}
	}
	w.seen = seen
	slices.SortFunc(settled, func(a, b Arrival) int { return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.Path, b.Path)) })
	return settled, nil
}

func leftAlone(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tmp") || strings.HasSuffix(name, ".part")
}

func first(all []Arrival) Arrival {
	if len(all) == 0 {
		return Arrival{}
	}
	return all[0]
}
