package flow_test

import (
	"errors"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

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
	cut, err := flow.Truncate(t.Context(), c, flow.Truncation{
		Topic: in, Readers: []string{c.Name("fast"), c.Name("slow")}, Partitions: []int32{0, 1, 2},
	})
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
