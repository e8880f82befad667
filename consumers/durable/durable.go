// Package durable is in the consumers room: it is the one place that asks the operating system to make bytes durable.
//
// The sequence of a new file, and what each step is for:
//
//	step                       without it, after a power cut
//	create under a fresh name  another writer's file may be overwritten (O_EXCL)
//	write                      -
//	fsync the file             the name may be there with a length of zero, or with holes
//	link to the final name     - (link refuses a name that is taken, rename would replace it silently)
//	remove the first name      a stray temporary file
//	fsync the directory        the file may be gone, or be back under its first name
//
// A directory that was made is itself a new name in its parent, which must be fsynced too. An fsync that returned an
// error is final for its file: the kernel may have dropped the dirty pages and call the next fsync a success, so the
// file takes no more writes and no more fsyncs. What was in it must be written again, to another file.
//
// What none of this can mend: a disk that says it has flushed and has not. Readers find that by checksum.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrFailed is returned for a file after a write or fsync of it went wrong: nothing more can be made durable in it.
var ErrFailed = errors.New("an earlier write or fsync of this file went wrong")

// ErrExists is returned when the name for something new is taken.
var ErrExists = errors.New("it exists already")

// OpKind names a change to the disk.
type OpKind string

// The changes to the disk.
const (
	OpCreate   OpKind = "create"
	OpWrite    OpKind = "write"
	OpTruncate OpKind = "truncate"
	OpSync     OpKind = "fsync"
	OpSyncDir  OpKind = "fsync of directory"
	OpLink     OpKind = "link"
	OpRename   OpKind = "rename"
	OpRemove   OpKind = "remove"
	OpMkdir    OpKind = "mkdir"
)

// Op is one change to the disk.
type Op struct {
	Kind   OpKind
	Path   string
	Length int64 // OpWrite: bytes; OpTruncate: the new size
}

// Disk is the way to the operating system. The zero value is the plain way.
type Disk struct {
	// Before, when set, is called before every change; its error is the result of the change, which is then not
	// made. A Short makes a part of a write, an ErrLie hides that an fsync was not made. It is how tests enumerate crashes and faults; it may be called by
	// several goroutines at once.
	Before func(Op) error
}

// Short is an error for Disk.Before: Written bytes of the write are made before it goes wrong with Err.
type Short struct {
	Written int64
	Err     error
}

// ErrLie is an error for Disk.Before: the fsync of a file or directory is reported as made and is not.
var ErrLie = errors.New("not made, and said to be")

// Error gives the cause.
func (s *Short) Error() string { return s.Err.Error() }

// Unwrap gives the cause.
func (s *Short) Unwrap() error { return s.Err }

func (d *Disk) before(kind OpKind, path string, length int64) error {
	if d.Before == nil {
		return nil
	}
	if err := d.Before(Op{kind, path, length}); err != nil {
		return fmt.Errorf("%s %s: %w", kind, path, err)
	}
	return nil
}

// SyncDir makes the names in a directory durable.
func (d *Disk) SyncDir(path string) error {
	if err := d.before(OpSyncDir, path, 0); errors.Is(err, ErrLie) {
		return nil
	} else if err != nil {
		return err
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Mkdir makes a directory and gives true, or false when it is there. The new name is durable after SyncDir of its parent.
func (d *Disk) Mkdir(path string) (bool, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return false, nil
	}
	if err := d.before(OpMkdir, path, 0); err != nil {
		return false, err
	}
	switch err := os.Mkdir(path, 0o755); {
	case errors.Is(err, os.ErrExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// Remove removes a file and makes that durable. A file that is not there is no error.
func (d *Disk) Remove(path string) error {
	if err := d.remove(path); err != nil {
		return err
	}
	return d.SyncDir(filepath.Dir(path))
}

func (d *Disk) remove(path string) error {
	if err := d.before(OpRemove, path, 0); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Move gives a file of a directory another, new name in it and makes that durable. A taken name is ErrExists.
func (d *Disk) Move(from, to string) error {
	if err := d.link(from, to); err != nil {
		return err
	}
	return d.Remove(from)
}

func (d *Disk) link(from, to string) error {
	if err := d.before(OpLink, to, 0); err != nil {
		return err
	}
	err := os.Link(from, to)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("publish %s: %w", to, ErrExists)
	}
	return err
}

// Publish makes a new file with the given content durable under path, all or nothing. A taken name is ErrExists and
// leaves what is there as it is. The temporary file's name is path with ".new" behind it.
func (d *Disk) Publish(path string, content []byte) error {
	if err := d.remove(path + ".new"); err != nil {
		return err
	}
	f, err := d.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := f.WriteAt(0, content); err != nil {
		f.Discard()
		return err
	}
	return f.Publish(path)
}
