package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrLocked is returned for a file that another holder has locked.
var ErrLocked = errors.New("another process owns it")

// Lock is the ownership of a file. It ends with Release, and when the process ends in any way.
type Lock struct{ file *os.File }

// Acquire locks an existing file (flock) and reads it. When another holder has it the error is ErrLocked.
func Acquire(path string) (*Lock, []byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("lock %s: %w", path, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return &Lock{f}, content, nil
}

// Release ends the ownership.
func (l *Lock) Release() error { return l.file.Close() }

// Free gives the bytes that the file system of path has for new files of ordinary users.
func Free(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("ask free space of %s: %w", path, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
