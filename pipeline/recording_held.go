package pipeline

import (
	"context"
	"time"

	"stripeline/schemas/progress"
)

// held is what a process knows of the record of a run that it alone may write to: by it, it sees whether another one has written.
type held struct {
	base    *progress.Run // as the process found it; nil: there was none
	offered progress.Run  // as the process wanted it last, be it there or not
}

// takeover is how long a process whose transaction was dropped gives another one to say that it is the cause, before it begins a new one.
const (
	takeover     = 500 * time.Millisecond
	takeoverLook = 100 * time.Millisecond
)

// regain goes on from what is recorded after a transaction was lost. A record that another process wrote is ErrTakenOver.
func (r *runRecord) regain(now *progress.Run) error {
	switch {
	case same(now, &r.held.offered):
		r.settled = r.held.offered // it was committed, although nobody said so
	case same(now, &r.settled), same(now, r.held.base):
	default:
		return ErrTakenOver
	}
	r.run = r.settled
	return nil
}

// same says whether two records are one: no two of a run are made in the same millisecond.
func same(a, b *progress.Run) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Time == b.Time && a.Started == b.Started && a.Offset == b.Offset && a.File == b.File && a.State == b.State
}

// awaitTakeover returns after a while in which no other process has written to the run, or at once when one has: ErrTakenOver.
func (r *runRecord) awaitTakeover(ctx context.Context) error {
	for end := time.Now().Add(takeover); time.Now().Before(end); {
		known, err := r.log.read(ctx)
		if err != nil {
			return err
		}
		var now *progress.Run
		if run, ok := known[r.run.Key()]; ok {
			now = &run
		}
		if err := r.regain(now); err != nil {
			return err
		}
		select {
		case <-time.After(takeoverLook):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
