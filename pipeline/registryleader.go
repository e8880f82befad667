package pipeline

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

// Limits on what changes of leadership may cost.
const (
	electionBackoff = 200 * time.Millisecond // before the group is joined again after a failure, doubled up to electionPause
	electionPause   = 5 * time.Second
	takeOver        = 15 * time.Second // to open the transactional id; the brokers wait RebalanceTimeout for it
	lastWrite       = 5 * time.Second  // for a write under way when the partition is given back
)

// seat is one instance's place in the election: the owner of the topic's partition in the consumer group <namespace>.registry leads.
//
// Being assigned begins a term: the transactional id is opened, which fences the leader before, and a NOOP tells everybody where the leader is.
// Whatever goes wrong in a term ends it: the instance leaves the group and joins it again. So an instance that was paused finds itself fenced and
// not the owner, and one that was fenced by such a late riser, while it owns the partition, comes back.
type seat struct {
	log     *schemaLog
	address string // of this instance, for the others
	logger  *slog.Logger

	mu     sync.Mutex
	leads  bool
	term   int64
	leader string             // as the log says
	over   context.CancelFunc // ends the term
	leave  context.CancelFunc // ends the membership

	stop context.CancelFunc
	done chan struct{} // nil before start
}

func newSeat(log *schemaLog, address string) *seat {
	nothing := func() {}
	s := &seat{log: log, address: address, logger: log.cluster.Logger(), over: nothing, leave: nothing, stop: nothing}
	log.seat = s
	return s
}

// leadership is registry.Options.Leader.
func (s *seat) leadership() registry.Leadership {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leads {
		return registry.Leadership{Self: true, Term: s.term, Address: s.address}
	}
	if s.leader == s.address { // it was this instance, and whom it is now the log has yet to say
		return registry.Leadership{}
	}
	return registry.Leadership{Address: s.leader}
}

func (s *seat) heard(leader string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader = leader
}

// start takes part in elections until close.
func (s *seat) start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		pause := electionBackoff
		for ctx.Err() == nil {
			began := s.terms()
			if err := s.member(ctx); err != nil {
				s.logger.Warn("registry: election", "group", s.group(), "cause", err.Error())
			}
			if s.terms() > began {
				pause = electionBackoff
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, electionPause)
		}
	}()
}

// close gives the lead back and takes no further part.
func (s *seat) close() {
	s.stop()
	if s.done != nil {
		<-s.done
	}
}

func (s *seat) group() string { return s.log.cluster.Name("registry") }

func (s *seat) terms() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term
}

// member is one membership of the group, until ctx ends or the instance resigns.
func (s *seat) member(ctx context.Context) error {
	membership, leave := context.WithCancel(ctx)
	defer leave()
	s.mu.Lock()
	s.leave = leave
	s.mu.Unlock()
	group, err := s.log.cluster.NewGroup(kafka.GroupConfig{
		Group: s.group(), Topic: s.log.topic, MembershipOnly: true,
		Assigned: func(ctx context.Context, _ []int32) { s.assigned(ctx) },
		Revoked:  func(context.Context, []int32) { s.give(lastWrite) },
		Lost:     func(context.Context, []int32) { s.give(0) },
	})
	if err != nil {
		return err
	}
	for membership.Err() == nil {
		_, err := group.Poll(membership)
		group.Allow()
		if err != nil && membership.Err() == nil {
			s.logger.Warn("registry: election", "group", s.group(), "cause", err.Error())
		}
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeOver)
	defer cancel()
	err = group.Close(leaving)
	s.give(0)
	return err
}

// assigned begins a term.
func (s *seat) assigned(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, takeOver)
	defer cancel()
	writer, err := s.log.cluster.NewTransactor(ctx, s.log.id, s.log.topic)
	if err != nil {
		s.logger.Warn("registry: cannot take the lead", "cause", err.Error())
		s.resign()
		return
	}
	alive, over := context.WithCancel(context.WithoutCancel(ctx))
	term := s.log.begin(alive, writer)
	s.mu.Lock()
	s.leads, s.term, s.over = true, term, over
	s.mu.Unlock()
	if _, err := s.log.Append(ctx, term, []registry.Record{{Key: registry.NoopKey()}}); err != nil {
		s.logger.Warn("registry: cannot announce the lead", "cause", err.Error())
		return
	}
	s.logger.Info("registry: leads", "term", term, "address", s.address)
}

// give ends the term. A write under way may take so long to end well.
func (s *seat) give(patience time.Duration) {
	s.mu.Lock()
	led, over := s.leads, s.over
	s.leads = false
	s.mu.Unlock()
	defer over()
	if patience == 0 {
		over()
	} else {
		defer time.AfterFunc(patience, over).Stop()
	}
	s.log.end()
	if led {
		s.logger.Info("registry: leads no more", "address", s.address)
	}
}

// resign leaves the group, to join it again.
func (s *seat) resign() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads = false
	s.leave()
}
