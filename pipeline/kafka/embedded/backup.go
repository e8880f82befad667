package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// asideDir holds links to the segments of every partition that is being compacted: the broker removes the old files before it writes the new ones.
const asideDir = "stripeline.aside"

// setAside links the segments of the compacted topics aside. The directory has its name only when it is whole.
func setAside(dir string, topics []topicState) error {
	aside := filepath.Join(dir, asideDir)
	if err := dropAside(dir); err != nil {
		return err
	}
	for _, t := range topics {
		if !t.compacted() {
			continue
		}
		for p := range t.Partitions {
			from := partitionDir(dir, t.Name, p)
			if err := linkSegments(from, filepath.Join(aside+".tmp", filepath.Base(from))); err != nil {
				return fmt.Errorf("set %s-%d aside: %w", t.Name, p, err)
			}
		}
	}
	if err := os.MkdirAll(aside+".tmp", 0o700); err != nil {
		return fmt.Errorf("set segments aside: %w", err)
	}
	return os.Rename(aside+".tmp", aside)
}

func dropAside(dir string) error {
	aside := filepath.Join(dir, asideDir)
	if err := os.Rename(aside, aside+".tmp"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop segments set aside: %w", err)
	}
	if err := os.RemoveAll(aside + ".tmp"); err != nil {
		return fmt.Errorf("drop segments set aside: %w", err)
	}
	return nil
}

// takeBack ends a compaction that a crash cut short. Compaction never removes a partition's last batch and writes it last, so a partition that now ends
// before the one set aside was not yet written, and gets its old segments back.
func takeBack(dir string) error {
	parts, err := filepath.Glob(filepath.Join(dir, asideDir, "*"))
	if err != nil {
		return fmt.Errorf("take segments back: %w", err)
	}
	for _, old := range parts {
		now := filepath.Join(dir, "partitions", filepath.Base(old))
		if err := takeBackPartition(old, now); err != nil {
			return fmt.Errorf("take segments of %s back: %w", filepath.Base(old), err)
		}
	}
	return dropAside(dir)
}

func takeBackPartition(old, now string) error {
	before, err := endOf(old)
	if err != nil {
		return err
	}
	after, err := endOf(now)
	if err != nil || after >= before {
		return err
	}
	files, err := segmentFiles(now)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return linkSegments(old, now)
}

func linkSegments(from, to string) error {
	files, err := segmentFiles(from)
	if err != nil || len(files) == 0 {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Link(f, filepath.Join(to, filepath.Base(f))); err != nil {
			return err
		}
	}
	return nil
}

func segmentFiles(dir string) ([]string, error) {
	data, err := filepath.Glob(filepath.Join(dir, "*"+segmentExt))
	if err != nil {
		return nil, err
	}
	index, err := filepath.Glob(filepath.Join(dir, "*"+indexExt))
	return append(data, index...), err
}
