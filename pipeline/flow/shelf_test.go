package flow_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// shelf is the outside of these tests: what sinks have made durable, over all links of a test.
type shelf struct {
	mu      sync.Mutex
	kept    map[string]int // value to how often it became durable
	open    map[int32]int  // partition to sinks open on it now
	twice   bool           // two sinks of one shelf were open on one partition
	flushes int

	flush func(partition int32) error // what happens when a flush begins; may block
	put   func(value string) error
}

func newShelf() *shelf { return &shelf{kept: map[string]int{}, open: map[int32]int{}} }

type shelfSink struct {
	shelf     *shelf
	partition int32
	mu        sync.Mutex
	pending   []string
}

func (s *shelf) openSink(_ context.Context, partition int32) (flow.Sink[string, string], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[partition]++
	s.twice = s.twice || s.open[partition] > 1
	return &shelfSink{shelf: s, partition: partition}, nil
}

func (k *shelfSink) Put(_ context.Context, value string) error {
	if put := k.shelf.put; put != nil {
		if err := put(value); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = append(k.pending, value)
	return nil
}

func (k *shelfSink) Flush(_ context.Context, emit func(string)) error {
	k.mu.Lock()
	batch := k.pending
	k.pending = nil
	k.mu.Unlock()
	if k.shelf.flush != nil {
		if err := k.shelf.flush(k.partition); err != nil {
			k.mu.Lock()
			k.pending = append(batch, k.pending...)
			k.mu.Unlock()
			return err
		}
	}
	k.shelf.mu.Lock()
	defer k.shelf.mu.Unlock()
	k.shelf.flushes++
	for _, value := range batch {
		k.shelf.kept[value]++
		emit(value)
	}
	return nil
}

func (k *shelfSink) Close() error {
	k.shelf.mu.Lock()
	defer k.shelf.mu.Unlock()
	k.shelf.open[k.partition]--
	return nil
}

// link gives a link from a topic to the shelf that writes an ack per value.
func (s *shelf) link(in, acks string) *flow.SinkLink[string, string] {
	return &flow.SinkLink[string, string]{
		Name: "keep", Input: in,
		Stage: func(r *kafka.Record, emit func(string)) error {
			if string(r.Value) == "value-13" {
				return schemas.Reject("unlucky", "13 is not a number")
			}
			emit(string(r.Value))
			return nil
		},
		Open: s.openSink,
		Encode: func(value string) (*kafka.Record, error) {
			return &kafka.Record{Topic: acks, Key: []byte(value), Value: []byte(value)}, nil
		},
	}
}

// check compares what was kept and acked with the n values given: each at least once. It gives the number of repeats.
func (s *shelf) check(t *testing.T, c *kafka.Cluster, acks string, n int) (repeats int) {
	t.Helper()
	acked := map[string]int{}
	for _, r := range read(t, c, acks) {
		acked[string(r.Value)]++
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		value := fmt.Sprintf("value-%d", i)
		if i != 13 && (s.kept[value] == 0 || acked[value] == 0) {
			t.Errorf("%s was kept %d times and acked %d times", value, s.kept[value], acked[value])
		}
		repeats += max(0, s.kept[value]-1)
	}
	if s.twice {
		t.Error("two sinks of one process were open on one partition")
	}
	return repeats
}
