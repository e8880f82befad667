package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stripeline/schemas/client"
)

// watching is a world with a directory in place of a file.
type watching struct {
	*runs
	dir string
	now time.Time
}

func eachWatch(t *testing.T, test func(t *testing.T, w *watching)) {
	eachWay(t, func(t *testing.T, w *runs) { test(t, &watching{w, filepath.Dir(w.name), time.Now()}) })
}

// put puts a file into the directory that is so many minutes old.
func (w *watching) put(name, text string, age int) {
	w.t.Helper()
	path, hidden := filepath.Join(w.dir, name), filepath.Join(w.dir, ".new")
	err := os.WriteFile(hidden, []byte(text), 0o644)
	if err == nil {
		at := w.now.Add(-time.Duration(age) * time.Minute)
		err = os.Chtimes(hidden, at, at)
	}
	if err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// files gives the paths below the directory.
func (w *watching) files() []string {
	w.t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(w.dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path != watchMark {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *watching) has(want ...string) {
	w.t.Helper()
	if got := w.files(); !slices.Equal(got, want) {
		w.t.Errorf("files %q, want %q", got, want)
	}
}

// watch makes a production of the directory that ends when nothing more is there.
func (w *watching) watch(change ...func(*ProduceCSV)) *ProduceCSV {
	once := func(p *ProduceCSV) {
		p.Files, p.Watch = nil, Watching{Dir: w.dir, Once: true, Settle: time.Millisecond}
	}
	return w.production(append([]func(*ProduceCSV){once}, change...)...)
}

func told(to *[]string) func(*ProduceCSV) {
	return func(p *ProduceCSV) {
		p.Watch.Moved = func(m MovedFile) {
			said := fmt.Sprint(filepath.Base(m.File), " ", filepath.Base(filepath.Dir(m.To)), " ", m.Rows, " ", m.Rejects)
			if m.Earlier != nil {
				said += fmt.Sprintf(" [%d %v]", m.Earlier.Rows, m.Earlier.Done)
			}
			*to = append(*to, said)
		}
	}
}

func TestWatchSendsEachFileAndMovesIt(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		w.put("b.csv", "id,name,amount\n1,a,1\n", 3)
		w.put("a.csv", "id,name,amount\n2,a,1\nbad,a,1\n", 3)
		w.put("first.csv", "id,name,amount\n3,a,1\n", 9)
		w.put("header.csv", "id,name\n4,a\n", 8)
		w.put("utf16.csv", "\xff\xfei\x00d\x00", 7)
		w.put("cut.csv.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 6)
		w.put("empty.csv", "", 5)
		w.put("being.csv.tmp", "id,name,amount\n5,a,1\n", 5)
		w.put(".hidden.csv", "id,name,amount\n5,a,1\n", 5)
		var said []string
		s, err := w.watch(told(&said)).Run(t.Context())
		if err != nil || s.Acked != 3 || s.Rejects != 1 || s.Moved != (MovedCounts{3, 4}) || len(s.Earlier) > 0 {
			t.Errorf("%+v %v", s, err)
		}
		want := []string{"first.csv done 1 0", "header.csv failed 0 0", "utf16.csv failed 0 0", "cut.csv.gz failed 0 0", "empty.csv failed 0 0", "a.csv done 2 1", "b.csv done 1 0"}
		if !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
		w.has(".hidden.csv", "being.csv.tmp", "done/a.csv", "done/b.csv", "done/first.csv",
			"failed/cut.csv.gz", "failed/empty.csv", "failed/header.csv", "failed/utf16.csv")
		w.await("1 2 3", 9)
		said = nil
		w.put("a.csv", "id,name,amount\n6,other content under the name of another,1\n", 1)
		w.put("again.csv", "id,name,amount\n3,a,1\n", 2)
		if s, err = w.watch(told(&said)).Run(t.Context()); err != nil || s.Acked != 1 {
			t.Errorf("%+v %v", s, err)
		}
		if want := []string{"again.csv done 0 0 [1 true]", "a.csv done 1 0"}; !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
		w.await("1 2 3 6", 9)
		if got := w.files(); !slices.Contains(got, "done/a.csv.1") || !slices.Contains(got, "done/a.csv") {
			t.Errorf("files %q", got)
		}
	})
}

// TestWatchGoesOnAfterARejectBound: a file with too many rejects is a file that cannot be sent as a whole, and the bound is each file's own.
func TestWatchGoesOnAfterARejectBound(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		w.put("a.csv", "id,name,amount\n1,a,1\nx,a,1\n", 3)
		w.put("b.csv", "id,name,amount\n2,a,1\ny,a,1\nz,a,1\n3,a,1\n", 2)
		w.put("c.csv", "id,name,amount\n4,a,1\nu,a,1\n", 1)
		s, err := w.watch(func(p *ProduceCSV) { p.MaxRejects = 1 }).Run(t.Context())
		if err != nil || s.Moved != (MovedCounts{2, 1}) {
			t.Errorf("%+v %v", s, err)
		}
		w.has("done/a.csv", "done/c.csv", "failed/b.csv")
	})
}

// TestWatchMovesWhatItHasSent: a run that ended between the record and the move sends nothing again.
func TestWatchMovesWhatItHasSent(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		w.put("a.csv", "id,name,amount\n1,a,1\n", 1)
		w.put("done", "in the way", 1)
		if _, err := w.watch().Run(t.Context()); err == nil || !strings.Contains(err.Error(), "a.csv") {
			t.Errorf("a file was moved into a file: %v", err)
		}
		if err := os.Remove(filepath.Join(w.dir, "done")); err != nil {
			t.Fatal(err)
		}
		if s, err := w.watch().Run(t.Context()); err != nil || s.Acked != 0 || s.Moved.Done != 1 {
			t.Errorf("%+v %v", s, err)
		}
		w.has("done/a.csv")
		w.await("1", 9)
	})
}

// TestWatchTakesAFileAgainThatGrewWhileItWasSent: it is not moved before its end is sent too.
func TestWatchTakesAFileAgainThatGrewWhileItWasSent(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		ctx, stop := context.WithCancel(t.Context())
		w.put("in.csv", "id,name,amount\n"+rowsOf(0, 5000), 1)
		grow := func(p *ProduceCSV) {
			p.Watch.Once = false
			p.Watch.Moved = func(MovedFile) { stop() }
			p.Acked = func(a Ack) {
				if a.Number == 5000 {
					w.append(rowsOf(5000, 6000))
				}
			}
		}
		if s, err := w.watch(grow).Run(ctx); !errors.Is(err, context.Canceled) || s.Moved.Done != 1 {
			t.Errorf("%+v %v", s, err)
		}
		w.has("done/in.csv")
		w.once(6000)
	})
}

// TestKilledWatchLosesNothing ends a watch at random moments, in ways after which nothing more is written, and starts it again.
func TestKilledWatchLosesNothing(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		const files, rows, kills = 8, 4000, 4
		for i := range files {
			// no file is the beginning of another: each has a row of its own before all others
			w.put(fmt.Sprintf("f%d.csv", i), "id,name,amount\n"+rowsOf(i*rows, (i+1)*rows)+fmt.Sprintf("bad%d,n,1\n", i), files-i)
		}
		for range kills {
			g, c, log := w.gated()
			ctx, stop := context.WithCancel(t.Context())
			p := w.watch(through(c, log), func(p *ProduceCSV) {
				p.Timeout = 100 * time.Millisecond
				at, cut := 1+rand.Int64N(rows*files/kills), rand.IntN(3) > 0
				p.Acked = func(a Ack) {
					if a.Number == at && cut {
						go g.set(true) // nothing that it does after this is known to anybody
					} else if a.Number == at {
						stop()
					}
				}
			})
			if _, err := p.Run(ctx); err == nil {
				t.Log("the watch came to its end")
			} else if !errors.Is(err, ErrGaveUp) && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			stop()
			g.set(false)
		}
		if _, err := w.watch().Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.once(files * rows)
		if rejects := len(w.rejects()); rejects < files || w.exact && rejects != files {
			t.Errorf("%d rejects", rejects)
		}
		if got := w.files(); len(got) != files || !strings.HasPrefix(got[0], "done/") {
			t.Errorf("files %q", got)
		}
	})
}

func TestWatchedLines(t *testing.T) {
	w := newRowWorld(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("one\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &ProduceLines{Production: Production{Cluster: w.cluster, Topic: w.topic, Watch: Watching{Dir: dir, Once: true, Settle: 1}}}
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 2 || s.Moved.Done != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "done", "a.txt")); err != nil {
		t.Error(err)
	}
}

func TestADirectoryHasOneWatcher(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		moved := make(chan MovedFile, 1)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := w.watch(func(p *ProduceCSV) {
				p.Watch.Once, p.Watch.Moved = false, func(m MovedFile) { moved <- m }
			}).Run(ctx)
			ended <- err
		}()
		w.put("a.csv", "id,name,amount\n1,a,1\n", 1)
		<-moved
		if _, err := w.watch().Run(t.Context()); !errors.Is(err, ErrWatched) {
			t.Errorf("a second watcher: %v", err)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := w.watch().Run(t.Context()); err != nil {
			t.Errorf("when the first has ended: %v", err)
		}
	})
}

func TestWatchRefusesAName(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		if _, err := w.watch(func(p *ProduceCSV) { p.Recording.Name = "x" }).Run(t.Context()); !errors.Is(err, ErrWatchNamed) {
			t.Error(err)
		}
	})
}

// absent is a registry that may be away.
type absent struct {
	*shelf
	away atomic.Bool
}

func (r *absent) Version(ctx context.Context, subject string, version int) (RowSchema, error) {
	if r.away.Load() {
		return RowSchema{}, fmt.Errorf("look up %s: %w", subject, client.ErrUnreachable)
	}
	return r.shelf.Version(ctx, subject, version)
}

// TestWatchAsksTheRegistryBeforeEachFile: it waits for one that is away, as long as it may, and uses the latest version then.
func TestWatchAsksTheRegistryBeforeEachFile(t *testing.T) {
	eachWatch(t, func(t *testing.T, w *watching) {
		registry := &absent{shelf: w.registry}
		moved := make(chan MovedFile, 9)
		begin := func(ctx context.Context, timeout time.Duration) (*RowProgress, chan error) {
			p := w.watch(func(p *ProduceCSV) {
				p.Registry, p.Timeout, p.Watch.Once, p.Progress = registry, timeout, false, &RowProgress{}
				p.Watch.Moved = func(m MovedFile) { moved <- m }
			})
			ended := make(chan error, 1)
			go func() {
				_, err := p.Run(ctx)
				ended <- err
			}()
			return p.Progress, ended
		}
		ctx, stop := context.WithCancel(t.Context())
		progress, ended := begin(ctx, 0)
		w.put("a.csv", "id,name,amount\n1,a,1\n", 1)
		if m := <-moved; m.Error != "" {
			t.Fatal(m.Error)
		}
		registry.away.Store(true)
		w.registry.add(ValueSubject(w.topic), strings.Replace(rowSchema, `{"name":"note"`, `{"name":"more","type":"string"},{"name":"note"`, 1))
		w.put("b.csv", "id,name,amount,more\n2,a,1,x\n", 1)
		for !strings.HasPrefix(progress.Waiting(), "the registry") {
			goesOn(t, ended)
			<-time.After(10 * time.Millisecond)
		}
		registry.away.Store(false)
		if m := <-moved; m.Error != "" || m.Acked != 1 {
			t.Errorf("%+v", m)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		_, ended = begin(t.Context(), 200*time.Millisecond)
		w.put("c.csv", "id,name,amount,more\n3,a,1,x\n", 1)
		if m := <-moved; m.Error != "" {
			t.Fatal(m.Error)
		}
		registry.away.Store(true)
		w.put("d.csv", "id,name,amount,more\n4,a,1,x\n", 1)
		if err := <-ended; !errors.Is(err, ErrGaveUp) || !strings.Contains(err.Error(), "the registry") {
			t.Error(err)
		}
		w.has("d.csv", "done/a.csv", "done/b.csv", "done/c.csv")
	})
}
