package blockstore

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// holdEnv names a target that a second process of this test takes and holds until its input ends.
const holdEnv = "STRIPELINE_TEST_HOLD_TARGET"

func TestHoldTarget(t *testing.T) {
	dir := os.Getenv(holdEnv)
	if dir == "" {
		return // it is the other test's second process
	}
	s, err := Open(context.Background(), Options{Directories: []Directory{{Path: dir}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, _ = os.Stdout.WriteString("held\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestATargetHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	holder := exec.Command(os.Args[0], "-test.run=^TestHoldTarget$", "-test.v")
	holder.Env = append(os.Environ(), holdEnv+"="+dir)
	in, _ := holder.StdinPipe()
	out, _ := holder.StdoutPipe()
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "held") {
	}
	expectOpen(t, Directory{Path: dir}, ErrOwned)
	_ = in.Close()
	for lines.Scan() {
	}
	if err := holder.Wait(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), Options{Directories: []Directory{{Path: dir}}})
	if err != nil {
		t.Fatal(err)
	}
	expectOpen(t, Directory{Path: dir}, ErrOwned)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// expectOpen checks that a store with the directory does not open, for the given reason and in one line that names it.
func expectOpen(t *testing.T, d Directory, want error) {
	t.Helper()
	s, err := Open(context.Background(), Options{Directories: []Directory{{Path: t.TempDir()}, d}})
	if err == nil {
		_ = s.Close()
	}
	if !errors.Is(err, want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), d.Path) {
		t.Errorf("want %v, got %v", want, err)
	}
}

func TestOpenRefusesWhatIsNoTarget(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expectOpen(t, Directory{Path: file}, ErrNotDirectory)
	expectOpen(t, Directory{Path: filepath.Join(file, "below")}, ErrNotDirectory)
	expectOpen(t, Directory{Path: dir}, ErrNoIDFile) // it holds something else
	expectOpen(t, Directory{Path: t.TempDir(), ID: schemas.NewTargetID()}, ErrNoIDFile)
	expectOpen(t, Directory{Path: filepath.Join(t.TempDir(), "gone"), ID: schemas.NewTargetID()}, ErrNoIDFile)

	target := t.TempDir()
	s, err := Open(context.Background(), Options{Directories: []Directory{{Path: target}}})
	if err != nil {
		t.Fatal(err)
	}
	id := s.Targets()[0].ID
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	expectOpen(t, Directory{Path: target, ID: schemas.NewTargetID()}, ErrWrongTarget)
	s, err = Open(context.Background(), Options{Directories: []Directory{{Path: target, ID: id}}})
	if err != nil || s.Targets()[0].ID != id {
		t.Fatalf("the same target again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(target, IDFile))
	twin := t.TempDir()
	if err := os.WriteFile(filepath.Join(twin, IDFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), Options{Directories: []Directory{{Path: target}, {Path: twin}}}); !errors.Is(err, ErrWrongTarget) {
		t.Errorf("a copy of a target: %v", err)
	}
	for _, bad := range []string{"", "something", idFileHead, idFileHead + "12\n", idFileHead + id.String()} {
		if err := os.WriteFile(filepath.Join(twin, IDFile), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		expectOpen(t, Directory{Path: twin}, ErrNoIDFile)
	}
}

func TestOpenRefusesWhatCannotBeWritten(t *testing.T) {
	for _, kind := range []durable.OpKind{durable.OpCreate, durable.OpWrite, durable.OpSync, durable.OpLink} {
		disk := &durable.Disk{Before: onKind(unix.EROFS, kind)}
		_, err := Open(context.Background(), Options{Disk: disk, Directories: []Directory{{Path: t.TempDir()}}})
		if !errors.Is(err, ErrUnwritable) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestOpenIsRepeatableAfterDeathAtAnyChange(t *testing.T) {
	for n := 0; ; n++ {
		c := newCrash(n, true)
		d := []Directory{{Path: t.TempDir()}}
		s, err := Open(context.Background(), Options{Disk: &durable.Disk{Before: c.before}, Directories: d})
		if err == nil {
			_ = s.Close()
			break
		}
		if s, err = Open(context.Background(), Options{Directories: d}); err != nil {
			t.Fatalf("death before change %d: %v", n, err)
		}
		_ = s.Close()
	}
}

func TestTargetsSayWhatTheyAre(t *testing.T) {
	r := newRig(t, 2, func(o *Options) {
		o.Directories[1].Domain = "disk one"
	})
	targets := r.store.Targets()
	one, two := targets[0], targets[1]
	if one.Domain != one.ID.String() || two.Domain != "disk one" || one.Node != "here" || one.Rack != "r" || one.State != schemas.TargetUp ||
		one.Free <= 0 || one.Address != "file://"+r.options.Directories[0].Path {
		t.Errorf("%+v", targets)
	}
}

func TestAClosedStoreTakesNothing(t *testing.T) {
	r := newRig(t, 5, nil)
	if _, err := r.store.Sink(context.Background(), 0); err == nil {
		t.Error("a second sink of the partition opens")
	}
	r.mustPut(packet(r.file.Block(0), 0, 12288))
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.put(packet(r.file.Block(0), 1, 12288)); !errors.Is(err, ErrClosed) {
		t.Errorf("put: %v", err)
	}
	if _, err := r.flush(); !errors.Is(err, ErrClosed) {
		t.Errorf("flush: %v", err)
	}
	if _, err := r.store.Sink(context.Background(), 1); !errors.Is(err, ErrClosed) {
		t.Errorf("sink: %v", err)
	}
}
