package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"stripeline/pipeline/kafka"
)

// view feeds what is committed on some partitions of a topic to a function, from given offsets on, until it is closed.
type view struct {
	cluster *kafka.Cluster
	topic   string
	reader  *kafka.Reader
	put     func(*kafka.Record) error
	stop    context.CancelFunc
	done    chan struct{}

	mu        sync.Mutex
	positions map[int32]int64 // everything before them was put
	moved     chan struct{}   // closed and replaced whenever positions have moved on
	err       error           // why the view has ended
}

// openView starts a view at the given offset of each partition.
func openView(cluster *kafka.Cluster, topic string, from map[int32]int64, put func(*kafka.Record) error) (*view, error) {
	reader, err := cluster.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: from})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", topic, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	v := &view{cluster: cluster, topic: topic, reader: reader, put: put, stop: stop, done: make(chan struct{}),
		positions: maps.Clone(from), moved: make(chan struct{})}
	go v.run(ctx)
	return v, nil
}

func (v *view) run(ctx context.Context) {
	defer close(v.done)
	for {
		records, err := v.reader.Poll(ctx)
		for _, r := range records {
			if err == nil {
				err = v.put(r)
			}
		}
		v.mu.Lock()
		for p := range v.positions {
			v.positions[p] = v.reader.Position(p)
		}
		v.err = err
		close(v.moved)
		v.moved = make(chan struct{})
		v.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// CatchUp returns once the view holds everything that was committed when it was called.
func (v *view) CatchUp(ctx context.Context) error {
	ends, err := v.cluster.StableEnds(ctx, v.topic)
	if err != nil {
		return fmt.Errorf("look up the end of %s: %w", v.topic, err)
	}
	for {
		v.mu.Lock()
		moved, failed, reached := v.moved, v.err, v.reached(ends)
		v.mu.Unlock()
		if failed != nil {
			return fmt.Errorf("read %s: %w", v.topic, failed)
		}
		if reached {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (v *view) reached(ends []int64) bool {
	for partition, position := range v.positions {
		if position < ends[partition] {
			return false
		}
	}
	return true
}

// Watch returns when ctx ends, or with the reason why the view has ended before.
func (v *view) Watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-v.done:
		return fmt.Errorf("read %s: %w", v.topic, v.err)
	}
}

// Close ends the view.
func (v *view) Close() {
	v.stop()
	<-v.done
	v.reader.Close()
}

// fromStart gives the first offset of the named partitions, or of all when none is named.
func fromStart(ctx context.Context, cluster *kafka.Cluster, topic string, partitions ...int32) (map[int32]int64, error) {
	starts, _, err := cluster.Ends(ctx, topic)
	return pick(starts, partitions), err
}

// fromEnd gives the stable end of the named partitions, or of all when none is named.
func fromEnd(ctx context.Context, cluster *kafka.Cluster, topic string, partitions ...int32) (map[int32]int64, error) {
	ends, err := cluster.StableEnds(ctx, topic)
	return pick(ends, partitions), err
}

func pick(offsets []int64, partitions []int32) map[int32]int64 {
	all := make(map[int32]int64, len(offsets))
	for p, offset := range offsets {
		all[int32(p)] = offset
	}
	if len(partitions) > 0 {
		maps.DeleteFunc(all, func(p int32, _ int64) bool { return !slices.Contains(partitions, p) })
	}
	return all
}
