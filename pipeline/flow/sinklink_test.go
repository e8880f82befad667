package flow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
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

func TestSinkLinkKeepsAcksAndCommits(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 3), brokertest.Topic(t, c, 2)
	write(t, c, in, 3, 0, 900)
	s := newShelf()
	r := start(t, c, s.link(in, acks))
	awaitCommits(t, c, r, c.Name("keep"), in)
	if err := r.end(t); err != nil {
		t.Fatal(err)
	}
	if repeats := s.check(t, c, acks, 900); repeats != 0 {
		t.Errorf("%d repeats without any fault", repeats)
	}
	if s.flushes >= 900 {
		t.Errorf("%d flushes for 900 records: nothing was batched", s.flushes)
	}
	if rejects := read(t, c, flow.RejectsTopic(in)); len(rejects) != 1 {
		t.Errorf("%d rejects, want 1", len(rejects))
	}
}

// TestSinkLinkChurn lets members come and go, one of them by having its cable pulled, while flushes fail now and then.
func TestSinkLinkChurn(t *testing.T) {
	cfg := brokertest.Config(t)
	c := connect(t, cfg)
	in, acks := brokertest.Topic(t, c, 6), brokertest.Topic(t, c, 2)
	const rounds, each = 6, 500
	shelves := []*shelf{}
	total := newShelf()
	var steady *running
	for round := range rounds {
		line, own, s := &cable{}, cfg, newShelf()
		own.Dial = line.dial
		n := 0
		s.flush = func(int32) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if n++; n%5 == 0 {
				return errors.New("disk hiccup")
			}
			return nil
		}
		shelves = append(shelves, s)
		r := start(t, connect(t, own), s.link(in, acks))
		write(t, c, in, 6, round*each, each)
		r.await(t, "it has partitions", func(l flow.LinkStatus) bool { return l.Counts.Assigned > 0 })
		switch {
		case round == 0:
			steady = r
		case round == 2:
			line.pull()
		default:
			if err := r.end(t); err != nil {
				t.Fatal(err)
			}
		}
	}
	awaitCommits(t, c, steady, c.Name("keep"), in)
	for _, s := range shelves {
		s.mu.Lock()
		for value, n := range s.kept {
			total.kept[value] += n
		}
		total.twice = total.twice || s.twice
		s.mu.Unlock()
	}
	repeats := total.check(t, c, acks, rounds*each)
	t.Logf("%d repeats of %d records", repeats, rounds*each)
	if repeats > rounds*each/2 {
		t.Errorf("%d repeats of %d records", repeats, rounds*each)
	}
}

// TestStuckPartitionDoesNotStopOthers blocks the flushes of one partition until its share of the budget is spent.
func TestStuckPartitionDoesNotStopOthers(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 2), brokertest.Topic(t, c, 1)
	const n = 4000
	write(t, c, in, 2, 0, n)
	s, stuck := newShelf(), make(chan struct{})
	s.flush = func(partition int32) error {
		if partition == 0 {
			<-stuck
		}
		return nil
	}
	link := s.link(in, acks)
	link.Budget = 64 << 10 // each partition has more than half of that
	r := start(t, c, link)
	_, ends, err := c.Ends(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	status := r.await(t, "partition 1 is committed to its end", func(l flow.LinkStatus) bool {
		return len(l.Partitions) == 2 && l.Partitions[1].Next == ends[1]
	})
	if next := status.Partitions[0].Next; next > 0 {
		t.Errorf("partition 0 was committed to %d while its flush hung", next)
	}
	close(stuck)
	awaitCommits(t, c, r, c.Name("keep"), in)
	status = r.o.Link("keep")
	if status.Counts.PeakUsed > link.Budget {
		t.Errorf("%d of %d bytes in use", status.Counts.PeakUsed, link.Budget)
	}
	s.check(t, c, acks, n)
}

func TestPutErrorsAreRetriedAndSeen(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 1), brokertest.Topic(t, c, 1)
	write(t, c, in, 1, 0, 20)
	s, full := newShelf(), true
	s.put = func(value string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if value == "value-7" && full {
			return errors.New("disk full")
		}
		return nil
	}
	r := start(t, c, s.link(in, acks))
	status := r.await(t, "the partition waits", func(l flow.LinkStatus) bool {
		return len(l.Partitions) == 1 && l.Partitions[0].State == flow.StateWaiting
	})
	if want := "put: disk full"; status.Partitions[0].Error != want {
		t.Errorf("partition says %q, want %q", status.Partitions[0].Error, want)
	}
	s.mu.Lock()
	full = false
	s.mu.Unlock()
	awaitCommits(t, c, r, c.Name("keep"), in)
	s.check(t, c, acks, 20)
	if status := r.o.Link("keep"); status.Partitions[0].State != flow.StateRunning {
		t.Errorf("partition is %s after it went on", status.Partitions[0].State)
	}
}

// TestRejectsAreConfirmedBeforeCommit lets the broker refuse rejects, and with them the commit of anything behind.
func TestRejectsAreConfirmedBeforeCommit(t *testing.T) {
	cases := map[string]func(string) string{
		"reject": flow.RejectsTopic,
		"ack":    func(string) string { return "acks" },
	}
	for name, topic := range cases {
		t.Run(name, func(t *testing.T) {
			fake := brokertest.Fake(t)
			c := connect(t, kafka.Config{Brokers: fake.ListenAddrs()})
			if err := c.Ensure(t.Context(), kafka.Topic{Name: "in", Partitions: 1}, kafka.Topic{Name: "acks", Partitions: 1}); err != nil {
				t.Fatal(err)
			}
			write(t, c, "in", 1, 0, 40)
			fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic("in"), Err: kerr.PolicyViolation, Count: -1})
			s := newShelf()
			r := start(t, c, s.link("in", "acks"))
			r.await(t, "the refusal is seen", func(l flow.LinkStatus) bool { return l.Counts.Retries > 2 && l.Counts.Flushes > 0 })
			if commits, err := c.Committed(t.Context(), c.Name("keep"), "in"); err != nil || commits[0].Offset > 13 {
				t.Errorf("committed %d while nothing of record 13 or its ack is confirmed (%v)", commits[0].Offset, err)
			}
			if fault.Hits() == 0 {
				t.Error("the fault did not fire")
			}
			fault.Remove()
			awaitCommits(t, c, r, c.Name("keep"), "in")
			s.check(t, c, "acks", 40)
			if rejects := read(t, c, flow.RejectsTopic("in")); len(rejects) != 1 {
				t.Errorf("%d rejects, want 1", len(rejects))
			}
		})
	}
}

func TestOutOfRangeStopsThePartitionAndNamesTheRange(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 2), brokertest.Topic(t, c, 1)
	write(t, c, in, 2, 0, 40)
	s := newShelf()
	r := start(t, c, s.link(in, acks))
	awaitCommits(t, c, r, c.Name("keep"), in)
	if err := r.end(t); err != nil {
		t.Fatal(err)
	}
	write(t, c, in, 2, 40, 40)
	if err := c.DeleteRecords(t.Context(), in, 0, 30); err != nil {
		t.Fatal(err)
	}
	r = start(t, c, s.link(in, acks))
	status := r.await(t, "partition 0 stops and partition 1 is done", func(l flow.LinkStatus) bool {
		return len(l.Partitions) == 2 && l.Partitions[0].State == flow.StateStopped && l.Partitions[1].Next == 40
	})
	want := "records are lost: offsets 20 to 29, the log starts at 30"
	if text := status.Partitions[0].Error; len(text) < len(want) || text[:len(want)] != want {
		t.Errorf("partition says %q, want %q", text, want)
	}
	commits, err := c.Committed(t.Context(), c.Name("keep"), in)
	if err != nil || commits[0].Offset != 20 {
		t.Errorf("commit moved to %d (%v)", commits[0].Offset, err)
	}
}

// TestLinkRefusesAnotherTopicUnderTheName changes the topic under a running link, and starts it again on one that grew
// meanwhile. (Brokers forget a group's commits with the topic, so that a link begins anew on one that was made again
// while it was down.)
func TestLinkRefusesAnotherTopicUnderTheName(t *testing.T) {
	cases := map[string]func(*testing.T, *kafka.Cluster, string){
		"made again":      func(t *testing.T, c *kafka.Cluster, in string) { remake(t, c, in, 2, 10) },
		"more partitions": func(t *testing.T, c *kafka.Cluster, in string) { grow(t, c, in) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, brokertest.Config(t))
			in, acks := brokertest.Topic(t, c, 2), brokertest.Topic(t, c, 1)
			write(t, c, in, 2, 0, 10)
			s := newShelf()
			r := start(t, c, s.link(in, acks))
			awaitCommits(t, c, r, c.Name("keep"), in)
			change(t, c, in)
			if err := r.result(t); !errors.Is(err, flow.ErrOtherTopic) && !errors.Is(err, kafka.ErrUnknownTopic) {
				t.Errorf("link ended with %v, want ErrOtherTopic", err)
			}
			if name != "more partitions" {
				return
			}
			if err := start(t, c, s.link(in, acks)).result(t); !errors.Is(err, flow.ErrOtherTopic) {
				t.Errorf("link ended with %v, want ErrOtherTopic", err)
			}
		})
	}
}

// grow adds a partition to a topic.
func grow(t *testing.T, c *kafka.Cluster, topic string) {
	t.Helper()
	info, err := c.Identify(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddPartitions(t.Context(), topic, info.Partitions+1); err != nil {
		t.Fatal(err)
	}
}

func TestTruncateKeepsTheLastRecordOfTheSlowest(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in := brokertest.Topic(t, c, 3)
	write(t, c, in, 3, 0, 60)
	for group, commits := range map[string]map[int32]kafka.Mark{
		"fast": {0: {Offset: 20, Epoch: -1}, 1: {Offset: 20, Epoch: -1}, 2: {Offset: 20, Epoch: -1}},
		"slow": {0: {Offset: 7, Epoch: -1}, 1: {Offset: 1, Epoch: -1}},
	} {
		if err := c.SetCommits(t.Context(), c.Name(group), in, commits); err != nil {
			t.Fatal(err)
		}
	}
	cut, err := flow.Truncate(t.Context(), c, in, []string{c.Name("fast"), c.Name("slow")}, []int32{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(cut) != 1 || cut[0] != 6 {
		t.Errorf("cut %v, want partition 0 to start at 6", cut)
	}
	starts, _, err := c.Ends(t.Context(), in)
	if err != nil || starts[0] != 6 || starts[1] != 0 || starts[2] != 0 {
		t.Errorf("log starts %v (%v), want 6, 0, 0", starts, err)
	}
}
