package blockstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// Store owns the targets of one process. Its methods are safe for concurrent use.
type Store struct {
	options Options
	targets []*target
	byID    map[schemas.TargetID]*target
	names   names

	stop     chan struct{}
	watching sync.WaitGroup
	mu       sync.Mutex
	sinks    map[int32]*Sink
	closed   bool
}

// Open takes the targets: it makes those that are new, locks each, and checks that each can be written. When one
// cannot be taken none is, and the error is ErrNotDirectory, ErrUnwritable, ErrNoIDFile, ErrWrongTarget or ErrOwned.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Disk == nil {
		o.Disk = &durable.Disk{}
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	s := &Store{options: o, byID: make(map[schemas.TargetID]*target), stop: make(chan struct{}), sinks: make(map[int32]*Sink)}
	for _, d := range o.Directories {
		t, err := openTarget(o.Disk, d)
		if err == nil {
			s.targets = append(s.targets, t)
			if s.byID[t.id] != nil {
				err = fmt.Errorf("open target %s: %w: %s has the same id %s: one is a copy", d.Path, ErrWrongTarget, s.byID[t.id].dir, t.id)
			}
			s.byID[t.id] = t
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, errors.Join(err, s.release())
		}
	}
	s.watching.Go(s.watch)
	return s, nil
}

// watch finds targets that hang, probes sick ones and measures free space, until the store is closed.
func (s *Store) watch() {
	ticks := time.NewTicker(max(time.Millisecond, min(time.Second, s.options.Deadline/4)))
	defer ticks.Stop()
	upkeep := time.Now()
	for {
		select {
		case <-s.stop:
			return
		case <-ticks.C:
		}
		for _, t := range s.targets {
			t.expire(s.options.Deadline)
		}
		if time.Since(upkeep) > upkeepInterval {
			upkeep = time.Now()
			for _, t := range s.targets {
				s.watching.Go(func() {
					t.heal()
					t.measure()
				})
			}
		}
	}
}

// upkeepInterval is the time between two probes of a sick target, and between two looks at the free space.
const upkeepInterval = 5 * time.Second

// heal probes all sick targets at once.
func (s *Store) heal() {
	var group sync.WaitGroup
	for _, t := range s.targets {
		group.Go(t.heal)
	}
	group.Wait()
}

// Targets gives the store's targets as they are now, for placement and heartbeats. Time is 0: the caller's clock
// stamps a heartbeat.
func (s *Store) Targets() []schemas.Target {
	targets := make([]schemas.Target, len(s.targets))
	for i, t := range s.targets {
		targets[i] = t.noun(s.options.Node)
	}
	return targets
}

// Sink opens the sink of a partition. A partition has one sink at a time.
func (s *Store) Sink(ctx context.Context, partition int32) (*Sink, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if s.sinks[partition] != nil {
		return nil, fmt.Errorf("open sink of partition %d: it is open already", partition)
	}
	k := &Sink{store: s, partition: partition, blocks: make(map[schemas.BlockID]*block)}
	k.changed.L = &k.mu
	s.sinks[partition] = k
	return k, nil
}

// leave forgets a sink that is closed.
func (s *Store) leave(k *Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sinks[k.partition] == k {
		delete(s.sinks, k.partition)
	}
}

// open gives the sinks that are open.
func (s *Store) open() []*Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	sinks := make([]*Sink, 0, len(s.sinks))
	for _, k := range s.sinks {
		sinks = append(sinks, k)
	}
	return sinks
}

// Close closes the sinks that are open and gives the targets up. It makes nothing durable.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	var err error
	for _, k := range s.open() {
		err = errors.Join(err, k.Close())
	}
	err = errors.Join(err, s.release())
	close(s.stop)
	s.watching.Wait()
	return err
}

func (s *Store) release() error {
	errs := make([]error, len(s.targets))
	var group sync.WaitGroup
	for i, t := range s.targets {
		group.Go(func() { errs[i] = t.stop(s.options.Deadline) })
	}
	group.Wait()
	return errors.Join(errs...)
}
