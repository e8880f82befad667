package flow_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

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
	for topic, first := range map[string]int64{flow.RejectsTopic("in"): 13, "acks": 0} {
		t.Run(topic, func(t *testing.T) {
			fake := brokertest.Fake(t)
			c := connect(t, kafka.Config{Brokers: fake.ListenAddrs()})
			if err := c.Ensure(t.Context(), kafka.Topic{Name: "in", Partitions: 1}, kafka.Topic{Name: "acks", Partitions: 1}); err != nil {
				t.Fatal(err)
			}
			write(t, c, "in", 1, 0, 40)
			fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.PolicyViolation, Count: -1})
			s := newShelf()
			link := s.link("in", "acks")
			link.Drain = 300 * time.Millisecond
			r := start(t, c, link)
			r.await(t, "the refusal is seen", func(l flow.LinkStatus) bool { return l.Counts.Retries > 2 && l.Counts.Flushes > 0 })
			if err := r.end(t); err != nil {
				t.Fatal(err)
			}
			commits, err := c.Committed(t.Context(), c.Name("keep"), "in")
			if err != nil || commits[0].Offset > first {
				t.Errorf("committed %d, %d is the first that is not confirmed (%v)", commits[0].Offset, first, err)
			}
			if fault.Hits() == 0 {
				t.Error("the fault did not fire")
			}
			fault.Remove()
			r = start(t, c, link)
			awaitCommits(t, c, r, c.Name("keep"), "in")
			s.check(t, c, "acks", 40)
			if rejects := read(t, c, flow.RejectsTopic("in")); len(rejects) == 0 {
				t.Error("no reject")
			}
		})
	}
}
