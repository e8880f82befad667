package textfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Folders of a watched directory that files are moved to.
const (
	doneFolder   = "done"
	failedFolder = "failed"
)

// Watch gives the files of a directory as they arrive. A file is taken when two looks in a row found it with the same size and time, so a writer that
// pauses for longer should write under a name that begins with a point and rename. It is used by one goroutine.
type Watch struct {
	dir     string
	pattern string
	poll    time.Duration
	seen    map[string]look // files that are not taken yet, or taken and not moved
}

// look is what a file was when it was looked at last.
type look struct {
	size  int64
	time  time.Time
	taken bool
}

// OpenWatch watches dir for files whose names match pattern ("" is all), and makes the folders done and failed in it. poll is the time between two
// looks; 0 is a quarter of a second.
func OpenWatch(dir, pattern string, poll time.Duration) (*Watch, error) {
	if poll == 0 {
		poll = defaultPoll
	}
	if pattern == "" {
		pattern = "*"
	}
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("watch %s: pattern %q: %w", dir, pattern, err)
	}
	for _, folder := range []string{doneFolder, failedFolder} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	return &Watch{dir: dir, pattern: pattern, poll: poll, seen: map[string]look{}}, nil
}

// Next gives the path of the next file, the first by name of those that are there, and waits for one. It ends with ctx only. What it gave is
// not given again before Done or Failed.
func (w *Watch) Next(ctx context.Context) (string, error) {
	for {
		path, err := w.look()
		if path != "" || err != nil {
			return path, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(w.poll):
		}
	}
}

// look goes through the directory once and gives the first file that has not changed since the last time.
func (w *Watch) look() (string, error) {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return "", fmt.Errorf("watch %s: %w", w.dir, err)
	}
	found := ""
	for _, entry := range entries {
		name := entry.Name()
		match, _ := filepath.Match(w.pattern, name)
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || !match || strings.HasPrefix(name, ".") {
			continue
		}
		before, known := w.seen[name]
		now := look{size: info.Size(), time: info.ModTime(), taken: before.taken}
		w.seen[name] = now
		if found == "" && known && !before.taken && before == now {
			found = name
		}
	}
	if found == "" {
		return "", nil
	}
	w.seen[found] = look{taken: true}
	return filepath.Join(w.dir, found), nil
}

// Done moves a file that Next gave to the folder done. A file that has the name already stays: the new one gets a number behind its name.
func (w *Watch) Done(path string) error { return w.move(path, doneFolder) }

// Failed moves a file that Next gave to the folder failed, as Done does.
func (w *Watch) Failed(path string) error { return w.move(path, failedFolder) }

func (w *Watch) move(path, folder string) error {
	name := filepath.Base(path)
	target := filepath.Join(w.dir, folder, name)
	for i := 1; ; i++ {
		if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
			break
		}
		target = filepath.Join(w.dir, folder, fmt.Sprintf("%s.%d", name, i))
	}
	if err := os.Rename(path, target); err != nil {
		return fmt.Errorf("move file that was read: %w", err)
	}
	delete(w.seen, name)
	return nil
}
