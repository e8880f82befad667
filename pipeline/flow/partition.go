package flow

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// partition is one partition while it is ours. One goroutine works on it; ctx ends its work at once, draining ends it
// when what is started is done.
type partition struct {
	number int32
	report *reporter
	size   func(*kafka.Record) int

	ctx      context.Context
	end      context.CancelFunc
	draining chan struct{}
	drained  atomic.Bool   // draining is closed; for those who ask before every record
	finished chan struct{} // closed when the goroutine has returned

	queue  *queue
	window window
	share  *share

	stopped atomic.Bool  // deliveries are dropped: the partition waits for a person
	next    atomic.Int64 // offset after the last delivered record, -1 before the first
}

func (m *member) newPartition(ctx context.Context, number int32) *partition {
	ctx, end := context.WithCancel(ctx)
	p := &partition{
		number: number, report: m.report, size: m.limits.Size,
		ctx: ctx, end: end, draining: make(chan struct{}), finished: make(chan struct{}),
		queue: newQueue(), share: &share{b: m.budget, partition: number},
	}
	p.next.Store(-1)
	return p
}

// deliver queues what a poll brought.
func (p *partition) deliver(records []*kafka.Record) {
	if len(records) == 0 || p.stopped.Load() {
		return
	}
	var bytes int64
	for _, r := range records {
		n := int64(p.size(r))
		p.window.add(r, n)
		bytes += n
	}
	p.share.take(bytes)
	p.next.Store(records[len(records)-1].Offset + 1)
	p.report.polled(len(records), bytes)
	p.queue.push(parcel{records, bytes})
}

// take waits for a parcel; false when there is none to be taken any more.
func (p *partition) take() (parcel, bool) {
	for !p.leaving() {
		if next, ok := p.queue.pop(); ok {
			return next, true
		}
		select {
		case <-p.ctx.Done():
		case <-p.draining:
		case <-p.queue.ready:
		}
	}
	return parcel{}, false
}

// settle says that an effect of records is durable.
func (p *partition) settle(numbers ...uint64) {
	bytes, done := p.window.settle(numbers...)
	if done > 0 {
		p.share.give(bytes)
		p.report.done(done)
	}
}

// drain begins to end the work: nothing new is started.
func (p *partition) drain() {
	if !p.drained.Swap(true) {
		close(p.draining)
	}
}

// leaving says whether the partition is draining or ended.
func (p *partition) leaving() bool { return p.drained.Load() || p.ctx.Err() != nil }

// errLeaving ends what a partition was about to do when it is on its way out.
var errLeaving = errors.New("partition is being given back")

// retry runs fn until it succeeds or rejects, with pauses, and says while it waits why. It gives the rejection's error,
// errLeaving when the partition drains, or the context's error.
func (p *partition) retry(what string, fn func() error) error {
	return p.retryWhile(what, p.draining, fn(), fn)
}

// retryAfter is retry where fn has been run once, with the outcome err.
func (p *partition) retryAfter(what string, err error, fn func() error) error {
	return p.retryWhile(what, p.draining, err, fn)
}

// persist is retry that goes on while the partition drains.
func (p *partition) persist(what string, fn func() error) error {
	return p.retryWhile(what, nil, fn(), fn)
}

func (p *partition) retryWhile(what string, quit <-chan struct{}, err error, fn func() error) error {
	for attempt := 0; ; attempt++ {
		if err == nil {
			if attempt > 0 {
				p.report.state(p.number, StateRunning, nil)
			}
			return nil
		}
		if _, ok := schemas.AsReject(err); ok {
			return err
		}
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		p.report.retry(p.number, fmt.Errorf("%s: %w", what, err))
		if !pause(p.ctx, quit, attempt) {
			return errLeaving
		}
		err = fn()
	}
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

// backoff gives the pause after a number of failures: doubling, up to lastPause.
func backoff(attempt int) time.Duration {
	return min(lastPause, firstPause<<min(attempt, 10))
}

// pause waits after a failure; false when ctx or quit ended it.
func pause(ctx context.Context, quit <-chan struct{}, attempt int) bool {
	timer := time.NewTimer(backoff(attempt))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-quit:
		return false
	case <-timer.C:
		return true
	}
}
