package rowfile

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"stripeline/consumers/durable"
)

// ErrOtherOwner says that a directory belongs to another group or topic.
var ErrOtherOwner = errors.New("directory belongs to another")

// Owner is whom a directory belongs to. ID is the topic's: one that was deleted and made again counts its offsets anew.
type Owner struct {
	Group string `json:"group"`
	Topic string `json:"topic"`
	ID    string `json:"topic_id"`
}

// markerName is the file that says whom a directory belongs to.
const markerName = ".stripeline"

// Claim makes the directory, if need be, and marks it as its owner's. One that belongs to another is ErrOtherOwner, whoever comes second.
func Claim(disk *durable.Disk, dir string, owner Owner) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	content, err := json.Marshal(owner)
	if err != nil {
		return fmt.Errorf("mark directory: %w", err)
	}
	path := filepath.Join(dir, markerName)
	held, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = mark(disk, path, content); err == nil {
			held, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return fmt.Errorf("mark directory: %w", err)
	}
	var is Owner
	if err := json.Unmarshal(held, &is); err != nil {
		return fmt.Errorf("%w: %s is no marker of ours: give an empty directory", ErrOtherOwner, path)
	}
	if is != owner {
		return fmt.Errorf("%w: %s holds topic %s (id %s) for group %s, not topic %s (id %s) for group %s: give another directory",
			ErrOtherOwner, dir, is.Topic, is.ID, is.Group, owner.Topic, owner.ID, owner.Group)
	}
	return nil
}

// mark publishes the marker; that another member was faster is no error. Each member has a temporary name of its own.
func mark(disk *durable.Disk, path string, content []byte) error {
	f, err := disk.Create(path + "-" + rand.Text() + ".new")
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		f.Discard()
		return err
	}
	if err := f.Publish(path); !errors.Is(err, durable.ErrExists) {
		return err
	}
	return nil
}
