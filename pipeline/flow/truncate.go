package flow

import (
	"context"

	"stripeline/pipeline/kafka"
)

// Truncate removes from partitions of a topic what all of its readers have done with, up to the smallest of their
// positions minus one record: a fold checks the last record that it consumed, and an embedded broker must never lose the
// last one of a log. readers are groups; one without a commit on a partition counts as 0. It gives, for each partition
// that it cut, where the log starts now, and changes nothing of the others.
//
// The groups' commits stand for their positions: a SinkLink's is its position, a FoldLink's follows its own.
func Truncate(ctx context.Context, c *kafka.Cluster, topic string, readers []string, partitions []int32) (map[int32]int64, error) {
	lowest := map[int32]int64{}
	for _, group := range readers {
		commits, err := c.Committed(ctx, group, topic)
		if err != nil {
			return nil, err
		}
		for _, p := range partitions {
			at, seen := lowest[p]
			if next := commits[p].Offset; !seen || next < at {
				lowest[p] = next
			}
		}
	}
	starts, _, err := c.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	cut := map[int32]int64{}
	for p, next := range lowest {
		if before := next - 1; int(p) < len(starts) && before > starts[p] {
			cut[p] = before
		}
	}
	if len(cut) == 0 {
		return nil, nil
	}
	return cut, c.Truncate(ctx, topic, cut)
}
