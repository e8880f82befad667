package flow

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// CopyLink runs records through a stage to the topics named in what it emits, by key, exactly once: what a poll brought, what came of it, its
// rejects and the group's commit are one transaction.
type CopyLink struct {
	Name, Input string // Input is the topic's full name; the group is the namespace, ".", and Name
	Group       string // another group than that

	Stage       Stage[*kafka.Record, *kafka.Record]
	Compression string // of what it writes, as kafka.ProducerConfig has it

	Limits
}

// copyRecords bounds the records of one transaction.
const copyRecords = 20_000

// Run runs the link until ctx ends; then it finishes the transaction under way and returns nil. Any other return is an error that running again
// cannot mend, as ErrOtherTopic.
func (l *CopyLink) Run(ctx context.Context, c *kafka.Cluster, o *Observer) error {
	group := l.Group
	if group == "" {
		group = c.Name(l.Name)
	}
	m, err := newMember(ctx, c, o, spec{LinkStatus{Name: l.Name, Group: group, Input: l.Input}, l.Limits})
	if err != nil {
		return err
	}
	rejects, err := EnsureRejects(ctx, c, l.Input)
	if err != nil {
		return fmt.Errorf("start link %s: %w", l.Name, err)
	}
	for attempt := 0; ; attempt++ {
		w := &copyWork{link: l, m: m, refused: map[place]error{}}
		w.add = w.emit
		err := w.session(ctx, rejects.MaxMessageBytes)
		if w.transactions > 0 {
			attempt = 0
		}
		if ctx.Err() != nil {
			return nil
		}
		if isFinal(err) {
			return fmt.Errorf("link %s: %w", l.Name, err)
		}
		m.report.count(func(c *Counts) { c.Rejoins++ })
		m.report.log.Warn("link leaves its group and joins again", "link", l.Name, "err", err)
		if !pause(ctx, nil, attempt) {
			return nil
		}
	}
}

// place is where a record lies in the input.
type place struct {
	partition int32
	offset    int64
}

// copyWork is one membership in the group.
type copyWork struct {
	link         *CopyLink
	m            *member
	group        *kafka.TransactGroup
	transactions int
	attempt      int             // transactions in a row that were not committed
	refused      map[place]error // input records whose outcome is larger than its topic allows

	outs             []*kafka.Record
	add              func(*kafka.Record)
	blank            []outcome // not used yet
	emitted, rejects int
}

// outcome is the context of what came of an input record, so that one function serves all that the brokers refuse.
type outcome struct {
	context.Context
	work *copyWork
	of   place
}

func (w *copyWork) session(ctx context.Context, limit int) error {
	rejects := RejectsTopic(w.link.Input)
	err := w.m.verify(ctx)
	if err != nil {
		return err
	}
	total, part := w.m.budget.fetch()
	w.group, err = w.m.cluster.NewTransactGroup(kafka.TransactGroupConfig{
		ID: w.m.link.Group + "." + token(), Group: w.m.link.Group, Topic: w.link.Input, MaxRecords: copyRecords, Metadata: w.m.pin.String(), Refused: refuse,
		FetchMaxBytes: total, FetchMaxPartitionBytes: part,
		Producer: kafka.ProducerConfig{Compression: w.link.Compression, Manual: []string{rejects}, BatchFor: batchFor(rejects, limit, w.m.limits.MaxBatch)},
	})
	if err != nil {
		return err
	}
	defer func() {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
		defer cancel()
		if err := w.group.Close(leaving); err != nil {
			w.m.report.log.Debug("group left late", "link", w.link.Name, "err", err)
		}
	}()
	for ctx.Err() == nil {
		if err := w.round(ctx); err != nil {
			return err
		}
	}
	return nil
}

// token tells members apart: fencing is by the group's generation, not by a transactional id that would have to be known before.
func token() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// round polls once and makes one transaction of what came.
func (w *copyWork) round(ctx context.Context) error {
	batches, err := w.group.Poll(ctx)
	if ctx.Err() != nil {
		return nil // what came meanwhile is nobody's yet
	}
	if err != nil {
		return err
	}
	n := 0
	for _, b := range batches {
		if b.Err != nil {
			w.m.report.state(b.Partition, StateStopped, b.Err)
			return b.Err
		}
		n += len(b.Records)
	}
	if n == 0 {
		return nil
	}
	return w.transact(ctx, batches)
}

func (w *copyWork) transact(ctx context.Context, batches []kafka.Batch) error {
	if err := w.group.Begin(); err != nil {
		return err
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	w.emitted, w.rejects = 0, 0
	done := 0
	for _, b := range batches {
		var bytes int64
		for _, r := range b.Records {
			bytes += int64(w.m.limits.Size(r))
			if err := w.take(ending, r); err != nil {
				return w.again(ctx, b.Partition, err)
			}
		}
		done += len(b.Records)
		w.m.report.polled(len(b.Records), bytes)
		w.m.report.state(b.Partition, StateRunning, nil)
	}
	committed, err := w.group.End(ending)
	switch {
	case err != nil:
		return err
	case !committed:
		if failed := w.group.Failed(); failed != nil && !errors.Is(failed, kafka.ErrTooLarge) {
			return failed
		}
		return w.rest(ctx)
	}
	w.transactions++
	w.attempt = 0
	clear(w.refused)
	w.m.report.done(done)
	w.m.report.emitted(w.emitted)
	w.m.report.count(func(c *Counts) { c.Transactions++; c.Rejects += int64(w.rejects) })
	return nil
}

// take runs one record through the stage and writes what came of it.
func (w *copyWork) take(ctx context.Context, r *kafka.Record) error {
	at := place{r.Partition, r.Offset}
	w.m.mu.Lock()
	err := w.refused[at]
	w.m.mu.Unlock()
	w.outs = w.outs[:0]
	if err == nil {
		err = w.link.Stage(r, w.add)
	}
	if err != nil {
		why, ok := schemas.AsReject(err)
		if !ok {
			return err
		}
		w.rejects++
		w.group.Produce(ctx, RejectRecord(w.link.Name, r, why))
		return nil
	}
	for _, out := range w.outs {
		w.emitted++
		from := w.outcome(ctx, at)
		out.Context = from // the client leaves one that is there
		w.group.Produce(from, out)
	}
	clear(w.outs)
	return nil
}

func (w *copyWork) emit(out *kafka.Record) { w.outs = append(w.outs, out) }

// outcome gives a fresh outcome; they are made by the hundred.
func (w *copyWork) outcome(ctx context.Context, of place) *outcome {
	if len(w.blank) == 0 {
		w.blank = make([]outcome, 128)
	}
	o := &w.blank[0]
	w.blank = w.blank[1:]
	o.Context, o.work, o.of = ctx, w, of
	return o
}

// refuse remembers that a record must be a reject when it comes again.
func refuse(out *kafka.Record, err error) {
	o, ok := out.Context.(*outcome) // a reject has none
	if ok && errors.Is(err, kafka.ErrTooLarge) {
		w := o.work
		w.m.mu.Lock()
		defer w.m.mu.Unlock()
		w.refused[o.of] = schemas.Reject("too-large", fmt.Sprintf("becomes a record of %d bytes, more than topic %s allows", len(out.Key)+len(out.Value), out.Topic))
	}
}

// again drops the transaction after an error of the stage that is no reject; it is tried again after a pause.
func (w *copyWork) again(ctx context.Context, partition int32, why error) error {
	w.m.report.retry(partition, why)
	aborting, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := w.group.Abort(aborting); err != nil {
		return err
	}
	return w.rest(ctx)
}

func (w *copyWork) rest(ctx context.Context) error {
	pause(ctx, nil, w.attempt)
	w.attempt++
	return nil
}
