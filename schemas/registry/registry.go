package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Registry is a schema registry on a log. It is safe for concurrent use.
type Registry struct {
	opts    Options
	log     Log
	routes  *routes
	parsed  *parsedCache
	logins  *logins
	stop    context.CancelFunc
	stopped chan struct{}

	mu      sync.RWMutex // guards what follows
	state   *state
	next    int64         // position reached in the log
	moved   chan struct{} // closed and replaced whenever next or failure changes
	failure error         // why the log is not followed any more

	led atomic.Bool // a leader was known once

	writer chan *pen // holds the one pen; who has it may write
}

// pen is the right to write, and what its holder knows about the log.
type pen struct {
	term   int64
	synced bool // nothing unknown lies between the state and the end of the log, as far as this term's writes go
}

// ErrClosed says that the registry has been closed.
var ErrClosed = errors.New("schema registry is closed")

// Open reads the log to the end that it has now and goes on following it. It returns when the registry can serve; ctx
// bounds only that. It fails if the log cannot be read.
func Open(ctx context.Context, log Log, opts Options) (*Registry, error) {
	follow, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &Registry{
		opts: opts.orDefault(), log: log, stop: stop, stopped: make(chan struct{}),
		state: newState(), moved: make(chan struct{}), writer: make(chan *pen, 1),
	}
	r.parsed = newParsedCache(r.opts.Limits.Parsed)
	r.logins = newLogins(r.opts.Users)
	r.routes = r.newRoutes()
	r.writer <- &pen{}
	go r.follow(follow)
	end, err := log.End(ctx)
	if err == nil {
		err = r.waitFor(ctx, end)
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("open schema registry: %w", err)
	}
	return r, nil
}

// Close stops following the log and waits until that has ended. Requests under way fail.
func (r *Registry) Close() error {
	r.stop()
	<-r.stopped
	return nil
}

func (r *Registry) follow(ctx context.Context) {
	defer close(r.stopped)
	err := r.log.Follow(ctx, r.take)
	if err == nil || ctx.Err() != nil {
		err = ErrClosed
	} else {
		r.opts.Notice("schema log cannot be followed any more; restart the registry: " + err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = err
	r.wake()
}

// take is one batch of the log.
func (r *Registry) take(records []Record, next int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range records {
		if err := r.state.apply(rec); err != nil {
			r.opts.Notice(err.Error() + "; left alone")
		}
	}
	r.next = max(r.next, next)
	r.wake()
	return nil
}

// wake tells everybody who waits; the caller holds mu.
func (r *Registry) wake() {
	close(r.moved)
	r.moved = make(chan struct{})
}

// waitFor returns when everything before a position has been taken into the state.
func (r *Registry) waitFor(ctx context.Context, position int64) error {
	for {
		r.mu.RLock()
		next, failure, moved := r.next, r.failure, r.moved
		r.mu.RUnlock()
		if next >= position {
			return nil
		}
		if failure != nil {
			return fmt.Errorf("follow schema log: %w", failure)
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for offset %d of the schema log, read up to %d: %w", position, next, ctx.Err())
		}
	}
}

// Healthy returns nil while the log is followed, else why not.
func (r *Registry) Healthy() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.failure
}

// position is how far the log has been taken in.
func (r *Registry) position() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.next
}

// view reads the state.
func (r *Registry) view(read func(*state) error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return read(r.state)
}

// Stats is what there is to count.
type Stats struct {
	Subjects, Versions, IDs int   // what is live or soft-deleted now
	Position                int64 // reached in the log
	Unknown, Broken         int   // records left alone since the start
}

// Stats counts what the registry holds.
func (r *Registry) Stats() Stats {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := Stats{Subjects: len(r.state.subjects), Position: r.next, Unknown: r.state.unknown, Broken: r.state.broken}
	for _, sub := range r.state.subjects {
		out.Versions += len(sub.versions)
	}
	for _, sp := range r.state.spaces {
		out.IDs += len(sp.byID)
	}
	return out
}
