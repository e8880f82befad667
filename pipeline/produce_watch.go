package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"stripeline/consumers/durable"
	"stripeline/producers/textfile"
)

// Folders of a watched directory that files are moved to.
const (
	doneFolder   = "done"
	failedFolder = "failed"
)

// Watching is a directory whose files are sent as they arrive, each as a run of its own. A file that was sent to its end, and whose progress is
// recorded as finished, is moved to the directory's folder done; one that cannot be sent as a whole to the folder failed.
type Watching struct {
	Dir    string          // "": files are named, and nothing is watched
	Once   bool            // only what is there now; otherwise it never ends by itself
	Settle time.Duration   // how long a file must not change before it is taken; one second when 0
	Moved  func(MovedFile) // told of every file that was moved; may be nil
}

// MovedFile is a file of a watched directory that was moved, and why.
type MovedFile struct {
	File    string      `json:"file"`
	To      string      `json:"to"`
	Rows    int64       `json:"rows"` // read now, not by an earlier run
	Acked   int64       `json:"acked"`
	Rejects int64       `json:"rejects"`
	Error   string      `json:"error,omitempty"`   // why it could not be sent as a whole
	Earlier *EarlierRun `json:"earlier,omitempty"` // what was found of a run that had begun before
}

// MovedCounts are the files of a watched directory that were moved.
type MovedCounts struct {
	Done   int64 `json:"done"`
	Failed int64 `json:"failed"`
}

// watchMark is the file in a watched directory that its watcher has locked.
const watchMark = ".stripeline.watch"

// ErrWatched says that a directory has a watcher: two would send its files twice.
var ErrWatched = errors.New("another process watches it: end that one, or watch another directory")

// ErrWatchNamed says that a name cannot be given to the many runs of a watched directory.
var ErrWatchNamed = errors.New("a name is for one text, and a watched directory has many: leave it out")

// watched is a directory while it is watched.
type watched struct {
	*rowRun
	source *textfile.Watch
	disk   durable.Disk
	send   func(reading, sending context.Context, name string) error
}

// watch sends the files of the directory by send until it ends.
func (r *rowRun) watch(send func(reading, sending context.Context, name string) error) func(reading, sending context.Context) error {
	return func(reading, sending context.Context) error {
		w := &watched{rowRun: r, send: send}
		if r.Recording.Name != "" {
			return ErrWatchNamed
		}
		var err error
		if w.source, err = textfile.OpenWatch(r.Watch.Dir, textfile.WatchOptions{Settle: r.Watch.Settle, Once: r.Watch.Once}); err != nil {
			return err
		}
		owned, err := w.own()
		if err != nil {
			return fmt.Errorf("watch %s: %w", r.Watch.Dir, err)
		}
		defer func() { _ = owned.Release() }()
		for err == nil {
			err = w.next(reading, sending)
		}
		if err == io.EOF {
			return nil
		}
		return err
	}
}

// own makes the directory this process's, with its folders.
func (w *watched) own() (*durable.Lock, error) {
	mark := filepath.Join(w.Watch.Dir, watchMark)
	if err := w.disk.Publish(mark, nil); err != nil && !errors.Is(err, durable.ErrExists) {
		return nil, err
	}
	lock, _, err := durable.Acquire(mark)
	if errors.Is(err, durable.ErrLocked) {
		return nil, ErrWatched
	} else if err != nil {
		return nil, err
	}
	for _, name := range []string{doneFolder, failedFolder} {
		if _, err = w.disk.Mkdir(filepath.Join(w.Watch.Dir, name)); err != nil {
			break
		}
	}
	if err == nil {
		err = w.disk.SyncDir(w.Watch.Dir)
	}
	if err != nil {
		_ = lock.Release()
		return nil, err
	}
	return lock, nil
}

// next waits for a file, sends it and moves it; io.EOF when no further one will come.
func (w *watched) next(reading, sending context.Context) error {
	file, err := w.source.Next(reading)
	if err != nil {
		return err
	}
	p := w.Progress
	moved := MovedFile{File: file.Path, Rows: -p.Rows.Load(), Acked: -p.Acked.Load(), Rejects: -p.Rejects.Load()}
	w.rejects.filed, w.read, w.earlier = 0, 0, nil
	err = w.send(reading, sending, file.Path)
	if err == nil && !w.Recording.ExactlyOnce {
		err = w.out.settle(sending, nil)
	}
	var why *unsendable
	if err != nil && (reading.Err() != nil || w.failed() != nil || !errors.As(err, &why)) {
		return err
	}
	if file.Changed() {
		return nil // written to since, or taken away: it is looked at again if it is there
	}
	moved.Rows, moved.Acked, moved.Rejects = moved.Rows+p.Rows.Load(), moved.Acked+p.Acked.Load(), moved.Rejects+p.Rejects.Load()
	if len(w.earlier) > 0 {
		moved.Earlier, w.earlier = &w.earlier[0], nil
	}
	if why != nil {
		moved.Error = why.Error()
	}
	return w.move(moved)
}

// move puts a file where it belongs. The log says why where it failed.
func (w *watched) move(m MovedFile) (err error) {
	folder := doneFolder
	if m.Error != "" {
		folder = failedFolder
	}
	if m.To, err = moveInto(&w.disk, m.File, filepath.Join(w.Watch.Dir, folder)); err != nil {
		return fmt.Errorf("move %s, which is dealt with: %w: mend it, the same command goes on", m.File, err)
	}
	if m.Error != "" {
		w.moved.Failed++
		w.Cluster.Logger().Error(m.File+" cannot be sent", "moved", m.To, "error", m.Error)
	} else {
		w.moved.Done++
	}
	if w.Watch.Moved != nil {
		w.Watch.Moved(m)
	}
	return nil
}

// moveInto moves a file to a directory of the same file system, durably: a power cut leaves it in one of the two. A name that is taken there gets a
// number. It gives the new path.
func moveInto(disk *durable.Disk, file, dir string) (string, error) {
	to := filepath.Join(dir, filepath.Base(file))
	for i := 1; ; i++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return "", err
		}
		to = filepath.Join(dir, fmt.Sprintf("%s.%d", filepath.Base(file), i))
	}
	if err := os.Rename(file, to); err != nil {
		return "", err
	}
	if err := disk.SyncDir(dir); err != nil {
		return "", err
	}
	return to, disk.SyncDir(filepath.Dir(file))
}

// findLatest looks the schemas up again before a file of a watched directory, unless they are pinned. Those that the registry does not give any more
// stay in use; while it cannot be reached, the file waits.
func (r *csvRun) findLatest(ctx context.Context) error {
	if r.Pin.ID != 0 || r.Pin.Version > 0 || r.Register != nil || r.AvroKey != nil && r.AvroKey.Register != nil {
		return nil
	}
	value, key := r.schema, r.keySchema
	err := r.patiently(ctx, "the registry", func() error { return r.findSchemas(ctx) })
	if err == nil {
		r.rejects.schema = r.schema
		return nil
	}
	r.schema, r.keySchema = value, key
	if ctx.Err() != nil {
		return err
	}
	r.rowRun.Cluster.Logger().Warn("the registry does not give the latest schema: the one that is known stays in use", "subject", value.Subject, "id", value.ID, "error", err)
	return nil
}
