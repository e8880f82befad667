package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/progress"
)

// text is one file or standard input.
type text struct {
	name string
	open func(context.Context) (stream, error) // at its start
	done func(stream)                          // told of it before it is closed
}

// sendText sends the rows of a text, from where an earlier run of it stopped if they are recorded.
func (r *rowRun) sendText(reading, sending context.Context, t text) error {
	rec, err := r.Recording.look(reading, t.name, progress.Run{Topic: r.Topic, Subject: r.schema.Subject})
	if err != nil {
		return err
	}
	s, err := t.open(reading)
	if err != nil {
		return err
	}
	if rec != nil {
		s, err = r.ready(reading, rec, s, t)
	}
	if err == nil && rec != nil {
		err = r.recorded(reading, sending, rec, s)
	} else if err == nil {
		err = r.drain(reading, sending, s)
	}
	if s.source == nil {
		return err
	}
	t.done(s)
	r.before += s.position().Offset
	r.Progress.Bytes.Store(r.before)
	if closeErr := s.source.Close(); err == nil {
		err = closeErr
	}
	return err
}

// ready puts a text where its run goes on, with an outlet that nobody else has. The stream that it gives may be another, opened again.
func (r *rowRun) ready(ctx context.Context, rec *runRecord, s stream, t text) (stream, error) {
	for {
		if err := r.openExact(ctx, rec); err != nil {
			return s, err
		}
		if err := rec.refresh(ctx, r.Recording); err != nil {
			return s, err
		}
		other, err := rec.resume(ctx, s.resume)
		if !other || err != nil {
			return s, err
		}
		s.source.Close()
		if s, err = t.open(ctx); err != nil {
			return stream{}, err
		}
	}
}

// openExact opens the transactional outlet of a run, which ends whatever another process of the same run has not committed.
func (r *rowRun) openExact(ctx context.Context, rec *runRecord) error {
	if !r.Recording.ExactlyOnce {
		return nil
	}
	if r.out != nil {
		r.out.Close()
		r.out = nil
	}
	if err := r.rejects.prepare(ctx); err != nil {
		return err // a topic that is made while a transaction is under way holds it up for seconds
	}
	id := r.Cluster.Name("run/" + rec.run.Key())
	again := func(ctx context.Context) (*kafka.Transactor, error) {
		return r.Cluster.OpenTransactor(ctx, id, r.write)
	}
	transactor, err := again(ctx)
	if err != nil {
		return err
	}
	r.sendTo(&exactOutlet{Transactor: transactor, failed: r.failed, again: again})
	return nil
}

// recorded sends the rows of a text and records how far it came: while it runs, and how it ended.
func (r *rowRun) recorded(reading, sending context.Context, rec *runRecord, s stream) error {
	found, earlier := rec.found, rec.earlier()
	done := found && rec.run.State == progress.Finished
	r.rejects.filed += rec.run.Rejects
	rec.start(r.rejects.filed)
	rec.before, rec.counts = rec.run, [2]int64{r.Progress.Acked.Load(), r.Progress.Rejects.Load()}
	defer rec.close()
	if err := r.record(sending, rec); err != nil {
		return err
	}
	r.settle = func() error {
		if !rec.due.Load() {
			return nil
		}
		if !rec.advance(s.position(), r.rejects.filed) {
			return nil
		}
		return r.record(sending, rec)
	}
	err := r.drain(reading, sending, s)
	r.settle = nil
	err = r.conclude(reading, sending, conclusion{rec, s, err})
	if found {
		earlier.Done = done && err == nil && rec.run.Row == earlier.Rows
		r.earlier = append(r.earlier, earlier)
	}
	return err
}

// drop gives up what was sent and not settled; in a transaction it was never acked.
func (r *rowRun) drop(ctx context.Context, rec *runRecord) {
	r.dropping.Store(true)
	r.out.drop(ctx)
	if r.Recording.ExactlyOnce {
		acked, rejects := rec.before.Acked, rec.before.Rejects
		r.Progress.Acked.Store(rec.counts[0] + rec.settled.Acked - acked)
		r.Progress.Rejects.Store(rec.counts[1] + rec.settled.Rejects - rejects)
	}
}

// idle records progress while nothing comes.
func (r *rowRun) idle() {
	if r.settle == nil {
		return
	}
	if err := r.settle(); err != nil {
		r.rejects.stop(err)
	}
}

// record makes what was sent and how far that is known to others.
func (r *rowRun) record(ctx context.Context, rec *runRecord) error {
	record, err := rec.log.record(&rec.run)
	if err != nil {
		return err
	}
	if err := r.out.settle(ctx, record); err != nil {
		return takenOver(err)
	}
	rec.settled = rec.run
	return nil
}

// takenOver says what it means that a producer was fenced.
func takenOver(err error) error {
	if errors.Is(err, kafka.ErrFenced) && !errors.Is(err, ErrTakenOver) {
		return fmt.Errorf("%w: %w", ErrTakenOver, err)
	}
	return err
}

// conclusion is a run that has ended, and why.
type conclusion struct {
	rec *runRecord
	s   stream
	err error
}

// conclude records how a run ended. At the text's end and after a person's interruption everything that was read has been sent; after a failure the
// place that was recorded last stands.
func (r *rowRun) conclude(reading, sending context.Context, c conclusion) error {
	run := &c.rec.run
	stopped := c.err != nil && reading.Err() != nil && errors.Is(c.err, reading.Err()) && r.failed() == nil
	switch {
	case c.err == nil:
		c.rec.advance(c.s.position(), r.rejects.filed)
		run.State = progress.Finished
	case stopped:
		c.rec.advance(c.s.position(), r.rejects.filed)
		run.State, run.Reason = progress.Stopped, interrupted
	default:
		r.drop(sending, c.rec)
		*run = c.rec.settled
		run.State, run.Reason = progress.Stopped, c.err.Error()
	}
	if err := r.record(sending, c.rec); err != nil && (c.err == nil || stopped) {
		return err
	}
	return c.err
}
