package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"stripeline/consumers/durable"
)

// ErrLocked: the directory belongs to another process that runs.
var ErrLocked = errors.New("data directory is in use")

// ErrDir: the directory cannot be used.
var ErrDir = errors.New("data directory cannot be used")

// lockName is the file that is locked; it holds the process id of its last owner.
const lockName = "stripeline.lock"

// lockDir makes dir, closes it to other users and takes its lock, which the kernel frees when the process ends however it ends.
func lockDir(dir string) (*durable.Lock, error) {
	path := filepath.Join(dir, lockName)
	if err := prepare(dir, path); err != nil {
		return nil, fmt.Errorf("%w: %w: choose another with --data", ErrDir, err)
	}
	lock, _, err := durable.Acquire(path)
	if errors.Is(err, durable.ErrLocked) {
		owner, _ := os.ReadFile(path)
		return nil, fmt.Errorf("%w: %s is open in process %s: stop it or choose another with --data", ErrLocked, dir, cmp.Or(string(owner), "unknown"))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w: choose another with --data", ErrDir, err)
	}
	if err := os.WriteFile(path, strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o600); err != nil {
		_ = lock.Release()
		return nil, fmt.Errorf("%w: %w: choose another with --data", ErrDir, err)
	}
	return lock, nil
}

func prepare(dir, lock string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
