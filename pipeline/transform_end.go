package pipeline

import (
	"context"
	"time"

	"stripeline/pipeline/kafka"
)

// commitPoll is how often a group's commits are looked at.
const commitPoll = 25 * time.Millisecond

// awaitCommits returns when a group has committed everything that a topic held when it was called, whichever member did it.
func awaitCommits(ctx context.Context, cluster *kafka.Cluster, group, topic string) error {
	starts, ends, err := cluster.Ends(ctx, topic)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(commitPoll)
	defer ticker.Stop()
	for {
		committed, err := cluster.Committed(ctx, group, topic)
		if err == nil {
			if done, err := onlyMarkers(ctx, cluster, topic, uncommitted(starts, ends, committed)); done || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// window is what lies from an offset of each partition to its end.
type window struct {
	from map[int32]int64
	ends []int64
}

// uncommitted is what lies behind a group's commits.
func uncommitted(starts, ends []int64, committed map[int32]kafka.Mark) window {
	left := window{map[int32]int64{}, ends}
	for p, end := range ends {
		at := starts[p]
		if m, ok := committed[int32(p)]; ok {
			at = m.Offset
		}
		if at < end {
			left.from[int32(p)] = at
		}
	}
	return left
}

// onlyMarkers says whether a window holds no records: nothing, or markers of transactions, which no group ever commits past.
func onlyMarkers(ctx context.Context, cluster *kafka.Cluster, topic string, w window) (bool, error) {
	if len(w.from) == 0 {
		return true, nil
	}
	for p, at := range w.from {
		if w.ends[p]-at > 2 {
			return false, nil // a marker or two; longer stretches will shrink
		}
	}
	reader, err := cluster.NewReader(kafka.ReaderConfig{Name: "ends", Topic: topic, Offsets: w.from})
	if err != nil {
		return false, err
	}
	defer reader.Close()
	for !reached(reader, w.from, w.ends) {
		records, err := reader.Poll(ctx)
		if err != nil {
			return false, err
		}
		for _, r := range records {
			if r.Offset < w.ends[r.Partition] {
				return false, nil
			}
		}
	}
	return true, nil
}
