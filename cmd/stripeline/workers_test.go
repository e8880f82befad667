package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWorkersShareTheWork adds two workers with targets of their own to dev's, drains one and kills the other: puts go on,
// and every file reads back, also those whose shards lie on the targets of workers that are gone.
func TestWorkersShareTheWork(t *testing.T) {
	binary, dir := buildBinary(t), t.TempDir()
	dev := startProcess(t, binary, devArgs(filepath.Join(dir, "data"), [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})...)
	flags := []string{"--brokers", dev.facts["broker"].(string), "--registry", dev.facts["registry"].(string)}
	worker := func(name string) *process {
		args := append([]string{"worker", "--http", "127.0.0.1:0"}, flags...)
		for i := range stackTargets {
			target := filepath.Join(dir, fmt.Sprintf("%s-%d", name, i))
			if err := os.Mkdir(target, 0o755); err != nil {
				t.Fatal(err)
			}
			args = append(args, "--target", target)
		}
		return startProcess(t, binary, args...)
	}
	k := &killed{t: t, binary: binary, dir: dir, written: map[string]string{}, done: make(chan struct{}), flags: flags}
	k.during(func() {
		drained, killed := worker("drained"), worker("killed")
		awaitReady(t, drained.facts["http"].(string))
		awaitReady(t, killed.facts["http"].(string))
		k.awaitPuts(5 + rand.IntN(5))
		if err := drained.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		k.awaitPuts(3)
		_ = drained.cmd.Wait()
		if code := drained.cmd.ProcessState.ExitCode(); code != exitInterrupted {
			t.Errorf("the drained worker exits %d: %s", code, drained.errs)
		}
		killed.kill()
		k.awaitPuts(8)
	})
	if k.count > len(k.written)+1 {
		t.Errorf("%d of %d puts failed: only the last may be cut off", k.count-len(k.written), k.count)
	}
	k.readBack()
	shards, err := filepath.Glob(filepath.Join(dir, "killed-*", "??", "*.shard"))
	if err != nil || len(shards) == 0 {
		t.Errorf("the second worker has stored nothing: the work was not shared (%v)", err)
	}
}
