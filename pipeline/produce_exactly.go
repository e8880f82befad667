package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/producers/textfile"
	"stripeline/schemas/progress"
)

// sendExactly sends a text in transactions. Brokers that are away for long drop the one that is under way: then the text is read again from the place
// that is recorded, until it has been sent, or another process has taken the run.
func (r *rowRun) sendExactly(reading, sending context.Context, rec *runRecord, t text) error {
	whole := r.trying.Load()
	defer r.trying.Store(whole)
	for {
		trying, stop := context.WithCancelCause(reading)
		r.try(stop)
		err := r.sendFrom(trying, sending, rec, t)
		if trying.Err() != nil && reading.Err() == nil {
			err = context.Cause(trying)
		}
		stop(nil)
		if err == nil || reading.Err() != nil || errors.As(err, new(*unsendable)) || r.out == nil || r.out.lost() == nil {
			return err
		}
		if err := r.regain(reading, rec, t); err != nil {
			return err
		}
	}
}

// regain waits until the brokers answer and says whether the run may be gone on with by this process.
func (r *rowRun) regain(ctx context.Context, rec *runRecord, t text) error {
	why := r.out.lost()
	r.closeOutlet()
	r.Cluster.Logger().Warn("a transaction was lost: reading again what was not committed", "file", t.name, "row", rec.settled.Row, "error", why)
	if rec.held == nil {
		return nil // nothing was written yet
	}
	err := r.patiently(ctx, "the brokers", func() error { return rec.awaitTakeover(ctx) })
	if errors.Is(err, ErrTakenOver) {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	if err == nil && textfile.Once(t.name) {
		return fmt.Errorf("%s: %w: %w", t.name, ErrReadOnce, why)
	}
	return err
}

// count notes where the production and the run stand before the first row.
func (r *rowRun) count(rec *runRecord) *counted {
	p := r.Progress
	return &counted{
		earlier: rec.earlier(), done: rec.found && rec.run.State == progress.Finished, run: rec.run, filed: r.rejects.filed, read: r.read,
		rows: p.Rows.Load(), acked: p.Acked.Load(), rejected: p.Rejects.Load(),
	}
}

// countFrom puts the numbers of what was read where the run goes on.
func (r *rowRun) countFrom(rec *runRecord) {
	c := rec.counted
	r.rejects.filed, r.read = c.filed+rec.run.Rejects, c.read+rec.run.Row
	r.Progress.Rows.Store(c.rows + rec.run.Row - c.run.Row)
	r.countSettled(rec)
}

// countSettled counts what has been committed; without transactions each confirmation is counted as it comes.
func (r *rowRun) countSettled(rec *runRecord) {
	c := rec.counted
	if c == nil || !r.Recording.ExactlyOnce {
		return
	}
	r.Progress.Acked.Store(c.acked + rec.settled.Acked - c.run.Acked)
	r.Progress.Rejects.Store(c.rejected + rec.settled.Rejects - c.run.Rejects)
}

// tell adds what was found of an earlier run to the summary.
func (r *rowRun) tell(rec *runRecord, err error) {
	c := rec.counted
	if c == nil || c.earlier == nil || !rec.began {
		return
	}
	c.earlier.Done = c.done && err == nil && rec.run.Row == c.earlier.Rows
	r.earlier = append(r.earlier, *c.earlier)
}
