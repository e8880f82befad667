package flow

import (
	"context"
	"sync"
)

// budget counts the bytes of a link's records from poll until done.
//
// The poll loop waits in room until one more fetch of every broker fits, so that used never exceeds limit as long as
// limit is at least twice reserve. A partition that holds so much that its next fetch could pass half of the limit is
// paused alone, and goes on when it holds a quarter: so a partition that waits leaves the other half to the others.
type budget struct {
	limit   int64
	reserve int64 // what one poll can bring: a fetch of every broker, and what its records weigh beside their bytes
	chunk   int64 // what one poll can bring of one partition
	brokers int64

	pause, resume func(partition int32)
	freed         chan struct{} // has a token after bytes were given back

	mu         sync.Mutex
	used, peak int64
}

// share is what one partition holds of the budget.
type share struct {
	b         *budget
	partition int32
	held      int64 // under b.mu
	paused    bool  // under b.mu
	closed    bool  // under b.mu: nothing is taken any more
}

const (
	maxFetch     = 16 << 20
	maxPartFetch = 4 << 20
	overhead     = 448 // bytes that a record weighs beside its key, value and headers: itself, one that it becomes, and their tracking
)

// newBudget cuts fetches so that four polls fit the limit. Half of a poll's reserve is for bytes, half for overhead.
func newBudget(limit int64, brokers int) *budget {
	b := &budget{
		limit:   limit,
		brokers: int64(brokers),
		freed:   make(chan struct{}, 1),
		pause:   func(int32) {},
		resume:  func(int32) {},
	}
	b.reserve = 2 * b.brokers * max(1, min(maxFetch, limit/(8*b.brokers)))
	b.chunk = 2 * max(1, min(maxPartFetch, b.reserve/b.brokers/2, limit/16))
	return b
}

// fetch gives the most bytes that one answer of one broker may bring, and of one partition in it.
func (b *budget) fetch() (total, part int32) {
	return int32(b.reserve / b.brokers / 2), int32(b.chunk / 2)
}

// records gives the most records that one poll may bring, of all partitions.
func (b *budget) records() int { return int(max(1, min(b.reserve, b.chunk)/2/overhead)) }

// room waits until another poll fits; false when ctx ended first.
func (b *budget) room(ctx context.Context) bool {
	for !b.fits() {
		select {
		case <-ctx.Done():
			return false
		case <-b.freed:
		}
	}
	return ctx.Err() == nil
}

func (b *budget) fits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used == 0 || b.used+b.reserve <= b.limit
}

// gauge gives the bytes in use now and at most.
func (b *budget) gauge() (used, peak int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used, b.peak
}

// take counts n bytes more, and pauses the partition when it is close to half of the limit.
func (s *share) take(n int64) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.closed {
		return
	}
	b.used += n
	b.peak = max(b.peak, b.used)
	s.held += n
	if !s.paused && s.held+b.chunk > b.limit/2 {
		s.paused = true
		b.pause(s.partition)
	}
}

// give returns n bytes, or what is held if that is less.
func (s *share) give(n int64) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, s.held)
	b.used -= n
	s.held -= n
	if s.paused && s.held <= b.limit/4 {
		s.paused = false
		b.resume(s.partition)
	}
	select {
	case b.freed <- struct{}{}:
	default:
	}
}

// close returns everything that is held, and takes nothing any more.
func (s *share) close() {
	s.b.mu.Lock()
	s.closed = true
	held := s.held
	s.b.mu.Unlock()
	s.give(held)
}
