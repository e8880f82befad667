package flow

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// States of a partition, in the order in which it goes through them.
const (
	StateOpening = "opening" // opening its sink, or reading its memory back
	StateRunning = "running"
	StateWaiting = "waiting" // something failed and will be tried again; Error says what
	StateStopped = "stopped" // something is wrong that trying again cannot mend; Error says what
	StateGone    = "gone"    // not ours (any more)
)

// PartitionStatus is how one partition of a link is doing.
type PartitionStatus struct {
	Partition int32
	State     string
	Error     string
	Since     time.Time // of State
	Next      int64     // the offset up to which everything is done; -1 before anything was
}

// Counts only ever grow.
type Counts struct {
	Records, Bytes       int64 // polled
	Done                 int64 // records done
	Emitted              int64 // records confirmed on other topics
	Rejects              int64 // records filed as rejects
	Flushes              int64 // flushes that returned nil
	Commits              int64 // commits of offsets
	Transactions         int64 // transactions that were committed
	Retries              int64 // pauses after a failure
	Rejoins              int64 // times that the group was left after a fencing error
	Truncations          int64 // partitions of the input cut
	Assigned, Revoked    int64 // partitions
	Lost                 int64 // partitions
	BudgetUsed, PeakUsed int64 // bytes now and at most: these two are gauges
}

// LinkStatus is how one link is doing.
type LinkStatus struct {
	Name, Group, Input string
	Budget             int64
	Counts             Counts
	Partitions         []PartitionStatus // by number; those that were ever assigned here
}

// Observer collects how links are doing. One serves all links of a process; a nil *Observer ignores everything. It is
// safe for concurrent use.
type Observer struct {
	mu      sync.Mutex
	links   map[string]*linkState
	changed chan struct{} // closed and replaced at every change while somebody waits
	waiting atomic.Int64
}

type linkState struct {
	status     LinkStatus
	partitions map[int32]*PartitionStatus
	hot        *hotCounts
}

// hotCounts are counted for every record, so without a lock.
type hotCounts struct{ records, bytes, done, emitted atomic.Int64 }

// NewObserver gives an observer that has seen nothing.
func NewObserver() *Observer {
	return &Observer{links: map[string]*linkState{}, changed: make(chan struct{})}
}

// Links gives a copy of what is known, by name of the link.
func (o *Observer) Links() []LinkStatus {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]LinkStatus, 0, len(o.links))
	for _, name := range slices.Sorted(maps.Keys(o.links)) {
		all = append(all, o.links[name].copy())
	}
	return all
}

// Link gives a copy of what is known of one link.
func (o *Observer) Link(name string) LinkStatus {
	if o == nil {
		return LinkStatus{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if s, ok := o.links[name]; ok {
		return s.copy()
	}
	return LinkStatus{Name: name}
}

// Await waits until the links are as a function says they shall be.
func (o *Observer) Await(ctx context.Context, as func([]LinkStatus) bool) error {
	o.waiting.Add(1)
	defer o.waiting.Add(-1)
	for {
		o.mu.Lock()
		changed := o.changed
		o.mu.Unlock()
		if as(o.Links()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (s *linkState) copy() LinkStatus {
	status := s.status
	status.Counts.Records, status.Counts.Bytes = s.hot.records.Load(), s.hot.bytes.Load()
	status.Counts.Done, status.Counts.Emitted = s.hot.done.Load(), s.hot.emitted.Load()
	for _, p := range slices.Sorted(maps.Keys(s.partitions)) {
		status.Partitions = append(status.Partitions, *s.partitions[p])
	}
	return status
}

// link gives the state of a link, made when it is new. o.mu is held.
func (o *Observer) link(name string) *linkState {
	s, ok := o.links[name]
	if !ok {
		s = &linkState{status: LinkStatus{Name: name}, partitions: map[int32]*PartitionStatus{}, hot: &hotCounts{}}
		o.links[name] = s
	}
	return s
}

// update changes a link's state under the lock and tells those who wait.
func (o *Observer) update(link string, change func(*linkState)) {
	o.mu.Lock()
	change(o.link(link))
	o.mu.Unlock()
	o.poke()
}

// poke tells those who wait that something has changed.
func (o *Observer) poke() {
	if o.waiting.Load() == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
}
