package pipeline

import (
	"context"
	"errors"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/progress"
)

// text is one file or standard input.
type text struct {
	name string
	open func(context.Context) (stream, error) // at its start
}

// sendText sends the rows of a text, from where an earlier run of it stopped if they are recorded.
func (r *rowRun) sendText(reading, sending context.Context, t text) error {
	rec, head, err := r.Recording.look(reading, t.name, progress.Run{Topic: r.Topic, Subject: r.schema.Subject})
	if err == nil && rec != nil {
		err = r.patiently(reading, "the brokers", func() error { return rec.find(reading, head) })
	}
	if err != nil {
		return err
	}
	if r.Recording.ExactlyOnce {
		err = r.sendExactly(reading, sending, rec, t)
	} else {
		err = r.sendFrom(reading, sending, rec, t)
	}
	if rec != nil {
		r.tell(rec, err)
	}
	r.before = r.Progress.Bytes.Load()
	return err
}

// sendFrom opens a text and sends it from where its run stopped.
func (r *rowRun) sendFrom(reading, sending context.Context, rec *runRecord, t text) error {
	s, err := t.open(reading)
	if err != nil {
		return ofText(reading, err)
	}
	if rec != nil {
		s, err = r.ready(reading, sending, rec, visit{s, t})
	}
	s.name = t.name
	if s.source == nil {
		return err
	}
	r.reached = s.place()
	if err == nil && rec != nil {
		err = r.recorded(reading, sending, rec, s)
	} else if err == nil {
		err = r.drain(reading, sending, s)
	}
	r.blank += r.reached.blank
	r.Progress.Bytes.Store(r.before + r.reached.Offset)
	if closeErr := s.source.Close(); err == nil {
		err = ofText(reading, closeErr)
	}
	return err
}

// visit is a text that has been opened.
type visit struct {
	stream
	text text
}

// ready puts a text where its run goes on, with an outlet that nobody else has. The stream that it gives may be another, opened again.
func (r *rowRun) ready(reading, sending context.Context, rec *runRecord, v visit) (stream, error) {
	s := v.stream
	for {
		if err := r.openExact(reading, rec); err != nil {
			return s, err
		}
		if err := r.patiently(reading, "the brokers", func() error { return rec.refresh(reading, r.Recording) }); err != nil {
			return s, err
		}
		if r.Recording.ExactlyOnce && rec.run.Offset > 0 { // reading up to there may take long: nobody shall think meanwhile that the run is free
			if rec.counted == nil {
				rec.counted = r.count(rec)
			}
			if err := r.record(sending, rec); err != nil {
				return s, err
			}
		}
		other, err := rec.resume(reading, s.resume)
		if !other || err != nil {
			return s, ofText(reading, err)
		}
		rec.counted = nil
		s.source.Close()
		if s, err = v.text.open(reading); err != nil {
			return stream{}, ofText(reading, err)
		}
	}
}

// openExact opens the transactional outlet of a run, which ends whatever another process of the same run has not committed.
func (r *rowRun) openExact(ctx context.Context, rec *runRecord) error {
	if !r.Recording.ExactlyOnce {
		return nil
	}
	r.closeOutlet()
	id := r.Cluster.Name("run/" + rec.run.Key())
	again := func(ctx context.Context) (*kafka.Transactor, error) {
		return r.Cluster.OpenTransactor(ctx, id, r.write)
	}
	return r.patiently(ctx, "the brokers", func() error {
		if err := r.rejects.prepare(ctx); err != nil {
			return err // a topic that is made while a transaction is under way holds it up for seconds
		}
		transactor, err := again(ctx)
		if err == nil {
			r.sendTo(&exactOutlet{Transactor: transactor, failed: r.failed, again: again})
		}
		return err
	})
}

func (r *rowRun) closeOutlet() {
	if r.out == nil {
		return
	}
	r.waits.over(nil)
	r.out.Close()
	r.out, r.ahead = nil, nil
}

// recorded sends the rows of a text and records how far it came: while it runs, and how it ended.
func (r *rowRun) recorded(reading, sending context.Context, rec *runRecord, s stream) error {
	if rec.counted == nil {
		rec.counted = r.count(rec)
	}
	r.countFrom(rec)
	rec.start()
	defer rec.close()
	if err := r.record(sending, rec); err != nil {
		return err
	}
	r.settle = func() error {
		if !rec.due.Load() {
			return nil
		}
		if !rec.advance(r.reached.Position, r.rejects.filed) {
			return nil
		}
		return r.record(sending, rec)
	}
	err := r.drain(reading, sending, s)
	r.settle = nil
	return r.conclude(reading, sending, conclusion{rec, err})
}

// record makes what was sent and how far that is known to others.
func (r *rowRun) record(ctx context.Context, rec *runRecord) error {
	record, err := rec.log.record(&rec.run)
	if err != nil {
		return err
	}
	rec.held.offered = rec.run
	answered := r.waits.call("the brokers")
	err = r.out.settle(ctx, record)
	answered()
	if err != nil {
		return err
	}
	rec.settled = rec.run
	r.countSettled(rec)
	return nil
}

// conclusion is a run that has ended, and why.
type conclusion struct {
	rec *runRecord
	err error
}

// conclude records how a run ended. At the text's end and after a person's interruption everything that was read has been sent; after a failure the
// place that was recorded last stands.
func (r *rowRun) conclude(reading, sending context.Context, c conclusion) error {
	run := &c.rec.run
	stopped := c.err != nil && reading.Err() != nil && errors.Is(c.err, reading.Err()) && r.failed() == nil && r.between
	switch {
	case c.err == nil:
		c.rec.advance(r.reached.Position, r.rejects.filed)
		run.State = progress.Finished
	case stopped:
		c.rec.advance(r.reached.Position, r.rejects.filed)
		run.State, run.Reason = progress.Stopped, interrupted
	case r.out.lost() != nil:
		return c.err
	default:
		r.drop(sending)
		*run = c.rec.settled
		run.State, run.Reason = progress.Stopped, c.err.Error()
	}
	if err := r.record(sending, c.rec); err != nil && (c.err == nil || stopped) {
		return err
	}
	return c.err
}

// drop gives up what was sent and not settled, where that can be done.
func (r *rowRun) drop(ctx context.Context) {
	if !r.Recording.ExactlyOnce {
		return
	}
	r.trying.Load().dropping.Store(true)
	r.out.drop(ctx)
	r.waits.over(r.out)
}
