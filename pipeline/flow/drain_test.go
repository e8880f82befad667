package flow_test

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
)

// TestRevokedPartitionsFinishWhatTheyStarted stops a link while a flush is under way: what was put before is flushed and
// committed before Run returns, so that nothing is repeated.
func TestRevokedPartitionsFinishWhatTheyStarted(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 1), brokertest.Topic(t, c, 1)
	write(t, c, in, 1, 0, 200)
	s := newShelf()
	flushing, proceed := make(chan struct{}, 1000), make(chan struct{})
	s.flush = func(int32) error {
		flushing <- struct{}{}
		<-proceed
		return nil
	}
	r := start(t, c, s.link(in, acks))
	<-flushing
	r.stop()
	close(proceed)
	if err := r.result(t); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	kept := len(s.kept)
	s.mu.Unlock()
	commits, err := c.Committed(t.Context(), c.Name("keep"), in)
	if err != nil || kept == 0 || commits[0].Offset < int64(kept) {
		t.Errorf("%d records kept, committed to %d (%v)", kept, commits[0].Offset, err)
	}
	awaitCommits(t, c, start(t, c, s.link(in, acks)), c.Name("keep"), in)
	if repeats := s.check(t, c, acks, 200); repeats != 0 {
		t.Errorf("%d repeats after an orderly stop", repeats)
	}
}

// TestDrainIsBounded stops a link whose flush never succeeds: it gives up after Drain, and commits nothing of it.
func TestDrainIsBounded(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 1), brokertest.Topic(t, c, 1)
	write(t, c, in, 1, 0, 10)
	s := newShelf()
	s.flush = func(int32) error { return errors.New("disk is gone") }
	link := s.link(in, acks)
	link.Drain = 300 * time.Millisecond
	r := start(t, c, link)
	r.await(t, "the failure is seen", func(l flow.LinkStatus) bool { return l.Counts.Retries > 0 })
	if err := r.end(t); err != nil {
		t.Fatal(err)
	}
	if commits, err := c.Committed(t.Context(), c.Name("keep"), in); err != nil || len(commits) != 0 {
		t.Errorf("committed %v (%v) while nothing was flushed", commits, err)
	}
}

// TestLostMemberCommitsNothingLater cuts a member off until another has taken over, and plugs it in again: what it goes
// on to finish must not move the commit back or forth.
func TestLostMemberCommitsNothingLater(t *testing.T) {
	cfg := brokertest.Config(t)
	c := connect(t, cfg)
	in, acks := brokertest.Topic(t, c, 1), brokertest.Topic(t, c, 1)
	write(t, c, in, 1, 0, 50)
	line, own, zombie := &cable{}, cfg, newShelf()
	own.Dial = line.dial
	flushing, proceed := make(chan struct{}, 100), make(chan struct{})
	zombie.flush = func(int32) error {
		flushing <- struct{}{}
		<-proceed
		return nil
	}
	old := start(t, connect(t, own), zombie.link(in, acks))
	<-flushing
	line.pull()
	s := newShelf()
	young := start(t, c, s.link(in, acks))
	awaitCommits(t, c, young, c.Name("keep"), in)
	line.plug()
	close(proceed)
	old.await(t, "it learns that it lost the partition", func(l flow.LinkStatus) bool { return l.Counts.Lost > 0 })
	write(t, c, in, 1, 50, 50)
	awaitCommits(t, c, young, c.Name("keep"), in)
	if commits, err := c.Committed(t.Context(), c.Name("keep"), in); err != nil || commits[0].Offset != 100 {
		t.Errorf("committed to %d (%v), want 100", commits[0].Offset, err)
	}
}

func TestCollectorShowsLinks(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, acks := brokertest.Topic(t, c, 1), brokertest.Topic(t, c, 1)
	write(t, c, in, 1, 0, 10)
	r := start(t, c, newShelf().link(in, acks))
	awaitCommits(t, c, r, c.Name("keep"), in)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(flow.NewCollector(r.o))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "stripeline_link_done_total" && f.GetMetric()[0].GetCounter().GetValue() == 10 {
			return
		}
	}
	t.Errorf("10 done records are not among %d families", len(families))
}
