package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// refill gives each partition that retention has emptied its end back: the broker takes a partition's end from its last batch, and one without batches
// would begin at 0 again while positions lie beyond. A partition that nothing may empty is left as it is: its absence is a loss, and checked for.
func refill(dir string, seen witness) error {
	topics, err := readTopics(dir)
	if err != nil {
		return err
	}
	for _, t := range topics {
		w, ok := seen[t.Name]
		if !ok || w.ID != t.ID || !w.Limited {
			continue
		}
		for p, end := range w.Ends {
			if err := refillPartition(partitionDir(dir, t.Name, p), end); err != nil {
				return fmt.Errorf("refill %s-%d: %w", t.Name, p, err)
			}
		}
	}
	return nil
}

func refillPartition(dir string, end int64) error {
	have, err := endOf(dir)
	if err != nil || have > 0 || end == 0 {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, strconv.FormatInt(end-1, 10)+segmentExt), emptyBatch(end-1))
}
