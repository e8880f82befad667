package blockstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// The id file is two lines of text; what other versions put behind them is kept and not read:
//
//	stripeline target 1
//	<32 hexadecimal digits: the target's id>
const idFileHead = "stripeline target 1\n"

// takeDirectory makes sure that a directory is a target, locks it and gives its id.
func takeDirectory(disk *durable.Disk, d Directory) (schemas.TargetID, *durable.Lock, error) {
	if err := prepare(disk, d); err != nil {
		return schemas.TargetID{}, nil, err
	}
	path := filepath.Join(d.Path, IDFile)
	lock, content, err := durable.Acquire(path)
	if errors.Is(err, durable.ErrLocked) {
		err = fmt.Errorf("open target %s: %w: stop it, or give this one another directory", d.Path, ErrOwned)
	}
	if err != nil {
		return schemas.TargetID{}, nil, err
	}
	text, ok := strings.CutPrefix(string(content), idFileHead)
	line, _, whole := strings.Cut(text, "\n")
	id, err := schemas.ParseTargetID(line)
	switch {
	case !ok || !whole || err != nil:
		err = fmt.Errorf("open target %s: %w: %s is not one", d.Path, ErrNoIDFile, IDFile)
	case d.ID != (schemas.TargetID{}) && d.ID != id:
		err = fmt.Errorf("open target %s: %w: it is %s, not %s: is the right disk mounted there?", d.Path, ErrWrongTarget, id, d.ID)
	default:
		err = checkWritable(disk, d.Path)
	}
	if err != nil {
		_ = lock.Release()
		return schemas.TargetID{}, nil, err
	}
	return id, lock, nil
}

// prepare makes the id file of a new target.
func prepare(disk *durable.Disk, d Directory) error {
	info, err := os.Stat(d.Path)
	expected := d.ID != (schemas.TargetID{})
	switch {
	case errors.Is(err, os.ErrNotExist) && !expected:
		if err := os.MkdirAll(d.Path, 0o755); err != nil {
			return fmt.Errorf("open target %s: %w: %v", d.Path, ErrUnwritable, err)
		}
	case errors.Is(err, os.ErrNotExist):
		return noIDFile(d)
	case err != nil:
		return fmt.Errorf("open target %s: %w: %v", d.Path, ErrNotDirectory, err)
	case !info.IsDir():
		return fmt.Errorf("open target %s: %w: a target is a directory", d.Path, ErrNotDirectory)
	}
	if _, err := os.Stat(filepath.Join(d.Path, IDFile)); !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if expected {
		return noIDFile(d)
	}
	return publishID(disk, d.Path)
}

func noIDFile(d Directory) error {
	return fmt.Errorf("open target %s: %w: %s of target %s is not there: is the disk mounted?", d.Path, ErrNoIDFile, IDFile, d.ID)
}

func publishID(disk *durable.Disk, dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("open target %s: %w: %v", dir, ErrNotDirectory, err)
	}
	for _, name := range names {
		if name.Name() != "lost+found" && name.Name() != IDFile+".new" {
			return fmt.Errorf("open target %s: %w: it holds %s and is no target: give an empty directory, or mount its disk",
				dir, ErrNoIDFile, name.Name())
		}
	}
	err = disk.Publish(filepath.Join(dir, IDFile), []byte(idFileHead+schemas.NewTargetID().String()+"\n"))
	if err != nil && !errors.Is(err, durable.ErrExists) {
		return fmt.Errorf("open target %s: %w: %v", dir, ErrUnwritable, err)
	}
	return nil
}

// probeName is a file that only probing writes.
const probeName = "stripeline-probe"

// probeBytes is what a target must be able to take to count as working.
const probeBytes = 1 << 20

func checkWritable(disk *durable.Disk, dir string) error {
	if err := probe(disk, dir, make([]byte, 1)); err != nil {
		return fmt.Errorf("open target %s: %w: %v", dir, ErrUnwritable, err)
	}
	return nil
}

// probe writes, fsyncs and removes a file.
func probe(disk *durable.Disk, dir string, content []byte) error {
	path := filepath.Join(dir, probeName)
	if err := disk.Remove(path); err != nil {
		return err
	}
	f, err := disk.Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := f.WriteAt(0, content); err != nil {
		return err
	}
	return f.Sync()
}
