package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
)

// ErrCut: the log ends before what was seen of it, as after a power loss without SyncWrites. Acked records are gone, and only a rebuild of the catalog
// from the targets brings its state back.
var ErrCut = errors.New("log was cut")

// cut is a partition that ends before something that was seen beyond.
type cut struct {
	topic     string
	partition int32
	end, seen int64
	group     string // whose position was seen, "" for the witnessed end
}

func (c cut) String() string {
	by := "the witnessed end"
	if c.group != "" {
		by = "the position of group " + c.group
	}
	return fmt.Sprintf("%s-%d ends at %d, %s is %d", c.topic, c.partition, c.end, by, c.seen)
}

// cutError names the first cut and says what to do.
func cutError(cuts []cut) error {
	more := ""
	if n := len(cuts) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Errorf("%w: %v%s: a power loss took acked records; run `stripeline catalog rebuild`", ErrCut, cuts[0], more)
}

// cutEnds compares the ends with the witness. Ends count only for the topic they were witnessed of.
func cutEnds(c *kfake.Cluster, dir string, seen witness) ([]cut, error) {
	topics, err := readTopics(dir)
	if err != nil {
		return nil, err
	}
	var cuts []cut
	for _, t := range topics {
		if w := seen[t.Name]; w.ID == t.ID {
			for p, state := range look(c, t.Name) {
				if p < len(w.Ends) && state.end < w.Ends[p] {
					cuts = append(cuts, cut{topic: t.Name, partition: int32(p), end: state.end, seen: w.Ends[p]})
				}
			}
		}
	}
	return cuts, nil
}

// cutPositions compares the ends with every position that a group has committed: the medium may have kept those and not the records.
func cutPositions(ctx context.Context, adm *kadm.Client, c *kfake.Cluster) ([]cut, error) {
	groups, err := adm.ListGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	var cuts []cut
	for _, group := range slices.Sorted(slices.Values(groups.Groups())) {
		offsets, err := adm.FetchOffsets(ctx, group)
		if err != nil {
			return nil, fmt.Errorf("fetch positions of group %s: %w", group, err)
		}
		for _, o := range offsets.Sorted() {
			info := c.PartitionInfo(o.Topic, o.Partition)
			if info != nil && o.At > info.HighWatermark {
				cuts = append(cuts, cut{topic: o.Topic, partition: o.Partition, end: info.HighWatermark, seen: o.At, group: group})
			}
		}
	}
	return cuts, nil
}

// forget drops the positions that lie beyond the ends.
func forget(ctx context.Context, adm *kadm.Client, cuts []cut) error {
	for _, c := range cuts {
		if c.group == "" {
			continue
		}
		var at kadm.TopicsSet
		at.Add(c.topic, c.partition)
		gone, err := adm.DeleteOffsets(ctx, c.group, at)
		if err == nil {
			err = gone.Error()
		}
		if err != nil {
			return fmt.Errorf("drop position of group %s in %s-%d: %w", c.group, c.topic, c.partition, err)
		}
	}
	return nil
}
