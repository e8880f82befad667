package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// File is an open file for writing and reading. Reads and writes at different offsets may run at once.
type File struct {
	disk   *Disk
	file   *os.File
	failed atomic.Bool
	end    int64 // where Write goes on
}

// Create makes a new file; a taken name is ErrExists. Its name is durable after SyncDir of its directory.
func (d *Disk) Create(path string) (*File, error) {
	if err := d.before(OpCreate, path, 0); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("create %s: %w", path, ErrExists)
	}
	if err != nil {
		return nil, err
	}
	return &File{disk: d, file: f}, nil
}

// Open opens an existing file for reading and writing.
func (d *Disk) Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &File{disk: d, file: f}, nil
}

// Path gives the name under which the file was opened.
func (f *File) Path() string { return f.file.Name() }

// ReadAt is that of os.File.
func (f *File) ReadAt(b []byte, offset int64) (int, error) { return f.file.ReadAt(b, offset) }

// Size gives the file's length in bytes.
func (f *File) Size() (int64, error) {
	info, err := f.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Linked says whether the file still has a name. What is fsynced in a file without one is gone when it is closed.
func (f *File) Linked() (bool, error) {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.file.Fd()), &s); err != nil {
		return false, fmt.Errorf("look at %s: %w", f.Path(), err)
	}
	return s.Nlink > 0, nil
}

// maxPieces is the number of slices that every system takes in one pwritev (IOV_MAX).
const maxPieces = 1024

// WriteAt writes the pieces one behind the other at the offset, all of them, without joining them first. After an
// error some of the bytes may be there, and the file is failed: see ErrFailed.
func (f *File) WriteAt(offset int64, pieces ...[]byte) error {
	if f.failed.Load() {
		return fmt.Errorf("write %s: %w", f.Path(), ErrFailed)
	}
	var length int64
	for _, p := range pieces {
		length += int64(len(p))
	}
	err := f.disk.before(OpWrite, f.Path(), length)
	var short *Short
	if errors.As(err, &short) {
		_ = f.writev(offset, firstBytes(pieces, short.Written))
	}
	if err == nil {
		err = f.writev(offset, append(make([][]byte, 0, len(pieces)), pieces...))
	}
	if err != nil {
		f.failed.Store(true)
		return fmt.Errorf("write %d bytes at %d of %s: %w", length, offset, f.Path(), err)
	}
	return nil
}

// writev consumes pieces.
func (f *File) writev(offset int64, pieces [][]byte) error {
	for {
		for len(pieces) > 0 && len(pieces[0]) == 0 {
			pieces = pieces[1:]
		}
		if len(pieces) == 0 {
			return nil
		}
		n, err := unix.Pwritev(int(f.file.Fd()), pieces[:min(len(pieces), maxPieces)], offset)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.ENOSPC
		}
		offset += int64(n)
		for n > 0 {
			cut := min(n, len(pieces[0]))
			pieces[0] = pieces[0][cut:]
			n -= cut
			if len(pieces[0]) == 0 {
				pieces = pieces[1:]
			}
		}
	}
}

func firstBytes(pieces [][]byte, n int64) [][]byte {
	var first [][]byte
	for _, p := range pieces {
		cut := min(n, int64(len(p)))
		first = append(first, p[:cut])
		n -= cut
	}
	return first
}

// Write appends to what Write has written before; it makes a File an io.Writer.
func (f *File) Write(b []byte) (int, error) {
	if err := f.WriteAt(f.end, b); err != nil {
		return 0, err
	}
	f.end += int64(len(b))
	return len(b), nil
}

// Truncate cuts the file to size bytes.
func (f *File) Truncate(size int64) error {
	if err := f.disk.before(OpTruncate, f.Path(), size); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

// Sync makes durable what was written before the call. An error is final: see ErrFailed.
func (f *File) Sync() error {
	if f.failed.Load() {
		return fmt.Errorf("fsync %s: %w", f.Path(), ErrFailed)
	}
	err := f.disk.before(OpSync, f.Path(), 0)
	if errors.Is(err, ErrLie) {
		return nil
	}
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		f.failed.Store(true)
		return fmt.Errorf("fsync %s: %w", f.Path(), err)
	}
	return nil
}

// Close closes the file without making anything durable.
func (f *File) Close() error { return f.file.Close() }

// Discard closes the file and removes it.
func (f *File) Discard() {
	_ = f.file.Close()
	_ = f.disk.remove(f.Path())
}

// Publish makes the file durable under a new name in the same directory, removes its first name and closes it. A
// taken name is ErrExists and leaves what is there as it is. After an error the first name is removed.
func (f *File) Publish(path string) error {
	err := f.Sync()
	if err == nil {
		err = f.disk.link(f.Path(), path)
	}
	f.Discard()
	if err != nil {
		return err
	}
	return f.disk.SyncDir(filepath.Dir(path))
}

// Replace makes the file durable under a name in the same directory, in place of what has it, and closes it. After an
// error the first name is removed and what had the name is as it was.
func (f *File) Replace(path string) error {
	err := f.Sync()
	if err == nil {
		err = f.disk.before(OpRename, path, 0)
	}
	if err == nil {
		err = os.Rename(f.Path(), path)
	}
	if err != nil {
		f.Discard()
		return err
	}
	_ = f.file.Close()
	return f.disk.SyncDir(filepath.Dir(path))
}
