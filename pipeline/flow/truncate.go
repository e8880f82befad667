package flow

import (
	"context"

	"stripeline/pipeline/kafka"
)

// Truncation says what may be removed of a topic with retention -1.
type Truncation struct {
	Topic      string
	Readers    []string // the groups of all links that read the topic; one without a commit counts as 0
	Partitions []int32  // those to cut, by their owner
}

// Truncate removes from partitions of a topic what all of its readers have done with, up to the smallest of their
// positions minus one record: a fold checks the last record that it consumed, and an embedded broker must never lose the
// last one of a log. It gives, for each partition that it cut, where the log starts now, and leaves the others alone.
//
// The groups' commits stand for their positions: a SinkLink's is its position, a FoldLink's follows its own.
func Truncate(ctx context.Context, c *kafka.Cluster, t Truncation) (map[int32]int64, error) {
	lowest := map[int32]int64{}
	for _, group := range t.Readers {
		commits, err := c.Committed(ctx, group, t.Topic)
		if err != nil {
			return nil, err
		}
		for _, p := range t.Partitions {
			at, seen := lowest[p]
			if next := commits[p].Offset; !seen || next < at {
				lowest[p] = next
			}
		}
	}
	starts, _, err := c.Ends(ctx, t.Topic)
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
	return cut, c.Truncate(ctx, t.Topic, cut)
}
