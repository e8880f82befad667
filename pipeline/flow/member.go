package flow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"stripeline/pipeline/kafka"
)

// work is what a link does with one partition: it returns when the partition drains and what was started is done, or as
// soon as its context ends.
type work func(*partition)

// member is a link's membership in its group: it gives every assigned partition a goroutine, takes it back, and commits.
type member struct {
	cluster *kafka.Cluster
	link    LinkStatus
	limits  Limits
	pin     pin
	report  *reporter
	budget  *budget
	work    work
	config  kafka.GroupConfig // what the link wants of its group beside the callbacks

	group  *kafka.Group // set when joined is closed
	joined chan struct{}
	root   context.Context         // parent of all partitions; outlives the run's context, so that they can drain
	fail   context.CancelCauseFunc // ends the run with an error that running again cannot mend
	ends   <-chan struct{}         // closed when the run ends, nil before it begins
	wait   sync.WaitGroup          // partitions and stoppers

	committing sync.Mutex // held while a commit is sent, so that none of a revoked partition comes late
	refused    bool       // under committing: the pin does not hold, nothing may be committed

	mu    sync.Mutex
	owned map[int32]*partition
	last  map[int32]*partition // the latest of each number, owned or not
}

const (
	tendEvery     = 500 * time.Millisecond
	commitTimeout = 5 * time.Second
)

// spec is what a link says of itself.
type spec struct {
	LinkStatus
	Limits
}

// newMember checks that the input is the topic that the group has been running on.
func newMember(ctx context.Context, c *kafka.Cluster, o *Observer, s spec) (*member, error) {
	link, limits := s.LinkStatus, s.Limits.withDefaults()
	link.Budget = limits.Budget
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	m := &member{
		cluster: c, link: link, limits: limits,
		report: newReporter(link, c.Logger(), o),
		budget: newBudget(limits.Budget, brokers),
		joined: make(chan struct{}),
		owned:  map[int32]*partition{}, last: map[int32]*partition{},
	}
	total, part := m.budget.fetch()
	m.config = kafka.GroupConfig{
		Group: link.Group, Topic: link.Input,
		Assigned: m.assigned, Revoked: m.revoked, Lost: m.lost,
		FetchMaxBytes: total, FetchMaxPartitionBytes: part, MaxRecords: m.budget.records(),
	}
	if m.pin, err = identify(ctx, c, link.Input); err != nil {
		return nil, fmt.Errorf("start link %s: %w", link.Name, err)
	}
	if err := m.verify(ctx); err != nil {
		return nil, fmt.Errorf("start link %s: %w", link.Name, err)
	}
	return m, nil
}

// run joins the group, lets intake bring records until ctx ends, gives everything back and leaves. The error is the one
// given to fail, nil if there was none.
func (m *member) run(ctx context.Context, intake func(context.Context)) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	root, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	m.root, m.fail, m.ends = root, fail, ctx.Done()
	group, err := m.cluster.NewGroup(m.config)
	if err != nil {
		return fmt.Errorf("join group %s: %w", m.link.Group, err)
	}
	m.group = group
	close(m.joined)
	var background sync.WaitGroup
	background.Go(func() { m.commitLoop(ctx) })
	background.Go(func() { m.tend(ctx) })
	intake(ctx)
	background.Wait()
	m.leave()
	end()
	m.wait.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("link %s: %w", m.link.Name, cause)
	}
	return nil
}

// leave gives the partitions back, which drains them, and leaves the group.
func (m *member) leave() {
	ctx, cancel := context.WithTimeout(m.root, m.limits.Drain+2*commitTimeout)
	defer cancel()
	if err := m.group.Close(ctx); err != nil {
		m.report.log.Warn("group left late", "link", m.link.Name, "err", err)
	}
	for _, p := range m.take(m.numbers()) {
		p.window.fence()
		p.end()
	}
}

// assigned starts to work on partitions.
func (m *member) assigned(ctx context.Context, numbers []int32) {
	<-m.joined
	err := m.verify(ctx)
	if err != nil && isFinal(err) {
		m.refuse(err)
	}
	if err != nil {
		return
	}
	m.report.count(func(c *Counts) { c.Assigned += int64(len(numbers)) })
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range numbers {
		p, before := m.newPartition(m.root, n), m.last[n]
		m.owned[n], m.last[n] = p, p
		m.wait.Go(func() { m.workOn(p, before) })
	}
	m.group.Resume(numbers...)
}

// verify checks the pin, trying again while the brokers cannot say.
func (m *member) verify(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		err := m.pin.verify(ctx, m.cluster, m.link.Group, m.link.Input)
		if err == nil || isFinal(err) || !pause(ctx, m.ends, attempt) {
			return err
		}
		m.report.log.Warn("topic cannot be checked", "link", m.link.Name, "err", err)
	}
}

// isFinal tells errors that trying again cannot mend.
func isFinal(err error) bool {
	for _, final := range []error{ErrOtherTopic, kafka.ErrUnknownTopic, kafka.ErrWrongTopic, kafka.ErrAuth, kafka.ErrClosed} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// refuse ends the run; nothing is committed from here on.
func (m *member) refuse(err error) {
	m.committing.Lock()
	m.refused = true
	m.committing.Unlock()
	m.fail(err)
}

// workOn does the link's work on a partition, after its former goroutine on the same partition has returned.
func (m *member) workOn(p *partition, before *partition) {
	defer close(p.finished)
	defer p.end()
	defer p.share.close()
	if before != nil {
		select {
		case <-before.finished:
		case <-p.ctx.Done():
			<-before.finished
		}
	}
	m.report.state(p.number, StateOpening, nil)
	m.work(p)
}

// revoked lets partitions finish what they started, commits, and then ignores them.
func (m *member) revoked(_ context.Context, numbers []int32) {
	parting := m.get(numbers)
	for _, p := range parting {
		p.drain()
	}
	bound := time.NewTimer(m.limits.Drain)
	defer bound.Stop()
	for _, p := range parting {
		select {
		case <-p.finished:
		case <-bound.C:
			bound.Reset(0)
		}
	}
	for _, p := range parting {
		p.window.fence()
	}
	m.committing.Lock()
	m.commit(parting)
	m.take(numbers)
	m.committing.Unlock()
	m.forget(parting, func(c *Counts) { c.Revoked += int64(len(parting)) })
}

// lost ignores partitions at once.
func (m *member) lost(_ context.Context, numbers []int32) {
	gone := m.take(numbers)
	for _, p := range gone {
		p.window.fence()
	}
	m.forget(gone, func(c *Counts) { c.Lost += int64(len(gone)) })
}

func (m *member) forget(gone []*partition, add func(*Counts)) {
	for _, p := range gone {
		p.end()
		m.report.state(p.number, StateGone, nil)
	}
	m.report.count(add)
}
