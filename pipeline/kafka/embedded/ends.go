package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/twmb/franz-go/pkg/kfake"

	"stripeline/consumers/durable"
)

// endsFile witnesses how far each partition reached, so that a log which a power loss has cut is known for what it is. cleanFile is there while the last
// end of the broker was an orderly one.
const (
	endsFile  = "stripeline.ends"
	cleanFile = "stripeline.clean"
)

// witness is the content of endsFile, as JSON: topics by name.
type witness map[string]witnessed

// witnessed is one topic: its id, since a new topic of the same name starts at 0; whether retention may empty it; the end offset of each partition.
type witnessed struct {
	ID      string  `json:"id"`
	Limited bool    `json:"limited"`
	Ends    []int64 `json:"ends"`
}

// observe takes the ends of all topics. What it returns is exact only while no request runs; at other times it is a lower bound, which will do.
func observe(c *kfake.Cluster, dir string) (witness, error) {
	topics, err := readTopics(dir)
	if err != nil {
		return nil, err
	}
	w := make(witness)
	for _, t := range topics {
		seen := witnessed{ID: t.ID, Limited: t.limited()}
		for _, p := range look(c, t.Name) {
			seen.Ends = append(seen.Ends, p.end)
		}
		w[t.Name] = seen
	}
	return w, nil
}

func (w witness) write(dir string) error {
	raw, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("witness ends: %w", err)
	}
	if err := replaceFile(filepath.Join(dir, endsFile), raw); err != nil {
		return fmt.Errorf("witness ends: %w", err)
	}
	return nil
}

// moved returns whether a topic that retention may empty reaches elsewhere than it did.
func (w witness) moved(since witness) bool {
	for name, t := range w {
		if was := since[name]; t.Limited && (was.ID != t.ID || !was.Limited || !slices.Equal(was.Ends, t.Ends)) {
			return true
		}
	}
	return false
}

func readWitness(dir string) (witness, error) {
	raw, err := os.ReadFile(filepath.Join(dir, endsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read witnessed ends: %w", err)
	}
	var w witness
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("read witnessed ends: %s: %w", endsFile, err)
	}
	return w, nil
}

// replaceFile puts content, durably, in the place of the file at path.
func replaceFile(path string, content []byte) error {
	var disk durable.Disk
	tmp := path + ".tmp"
	if err := disk.Remove(tmp); err != nil {
		return err
	}
	f, err := disk.Create(tmp)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		f.Discard()
		return err
	}
	return f.Replace(path)
}

// Stop says how the broker that had the directory before ended.
type Stop string

// The ways in which a broker ends.
const (
	StopNone  Stop = "none"  // there was none
	StopClean Stop = "clean" // Close
	StopCrash Stop = "crash" // anything else
)

// lastStop reads how the last broker ended and takes the mark of a clean end away.
func lastStop(dir string) (Stop, error) {
	if _, err := os.Stat(filepath.Join(dir, "meta.json")); errors.Is(err, fs.ErrNotExist) {
		return StopNone, nil
	}
	err := os.Remove(filepath.Join(dir, cleanFile))
	switch {
	case err == nil:
		return StopClean, nil
	case errors.Is(err, fs.ErrNotExist):
		return StopCrash, nil
	}
	return "", fmt.Errorf("%w: %w: choose another with --data", ErrDir, err)
}
