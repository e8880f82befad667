package pipeline

import (
	"context"
	"maps"
	"time"

	"stripeline/pipeline/kafka"
)

// commitPoll is how often a group's commits are looked at.
const commitPoll = 25 * time.Millisecond

// firstFetch bounds what is fetched of a partition to find a first record, in bytes.
const firstFetch = 64 << 10

// awaitCommits returns when a group has committed everything that a topic held when it was called, whichever member did it.
func awaitCommits(ctx context.Context, cluster *kafka.Cluster, group, topic string) error {
	starts, ends, err := cluster.Ends(ctx, topic)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(commitPoll)
	defer ticker.Stop()
	var before window
	next := map[int32]int64{}
	for {
		committed, err := cluster.Committed(ctx, group, topic)
		if err == nil {
			left := uncommitted(starts, ends, committed)
			still := maps.Equal(left.from, before.from) // while the commits move, there is nothing to look for
			if len(left.from) == 0 || still && !left.holds(next) {
				if next, err = firstRecords(ctx, cluster, topic, left); err != nil || len(next) == 0 {
					return err
				}
			}
			before = left
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

// holds says whether one of some records lies in the window.
func (w window) holds(records map[int32]int64) bool {
	for p, at := range records {
		if from, ok := w.from[p]; ok && from <= at {
			return true
		}
	}
	return false
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

// onlyMarkers says whether a window holds no records.
func onlyMarkers(ctx context.Context, cluster *kafka.Cluster, topic string, w window) (bool, error) {
	first, err := firstRecords(ctx, cluster, topic, w)
	return err == nil && len(first) == 0, err
}

// firstRecords gives the offsets of the first records found in a window, of one partition at least where there are any: a log may end in markers and
// in what aborted transactions left, of any length, and no group ever commits past those.
func firstRecords(ctx context.Context, cluster *kafka.Cluster, topic string, w window) (map[int32]int64, error) {
	first := map[int32]int64{}
	if len(w.from) == 0 {
		return first, nil
	}
	reader, err := cluster.NewReader(kafka.ReaderConfig{Name: "ends", Topic: topic, Offsets: w.from, FetchMaxPartitionBytes: firstFetch})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for len(first) == 0 && !reached(reader, w.from, w.ends) {
		records, err := reader.Poll(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if _, known := first[r.Partition]; !known && r.Offset < w.ends[r.Partition] {
				first[r.Partition] = r.Offset
			}
		}
	}
	return first, nil
}
