package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// Outcomes of a reject that was redriven.
const (
	OutcomeSent    = "sent"    // it fits now: the record is on the topic
	OutcomeAgain   = "again"   // it does not fit: a new reject says why
	OutcomeGivenUp = "loop"    // it was tried too often, and was not tried
	OutcomeDone    = "already" // an earlier redrive dealt with it
	OutcomeOther   = "other"   // it is none of Redrive.Link's, and was not tried
)

// Redriven is what became of one reject.
type Redriven struct {
	Partition int32  `json:"partition"` // of the reject
	Offset    int64  `json:"offset"`
	Attempt   int    `json:"attempt"` // of this redrive: the reject's own and one
	Outcome   string `json:"outcome"`
	Code      string `json:"code,omitempty"` // why it does not fit
	Message   string `json:"message,omitempty"`
}

// Redrive is the journey of rejects back through their typing: what fits goes to the topic, what does not is a reject again.
//
// A reject, what comes of it and its state are one transaction: killed anywhere and started again, each is on the topic once. The state is a record
// on <topic>.rejects.state (compacted) with the key "<rejects topic>-<partition>-<offset>" and the value of Redriven as JSON, with the id of the
// rejects topic. Limit bounds the rejects that are tried.
type Redrive struct {
	Rejects
	Type        Typing
	Link        string // whose rejects Type is for; "": those of rows, which no link put aside
	DryRun      bool
	Rate        float64 // rejects a second; 0: no bound
	MaxAttempts int     // a reject that was tried so often is left alone; 0: 3
}

// Typing makes a record of a reject, with the topic that it goes to. An error that is a schemas.Rejection says that it still does not fit.
type Typing func(ctx context.Context, x Reject) (*kafka.Record, error)

// RedriveSummary counts outcomes.
type RedriveSummary map[string]int64

const (
	defaultAttempts = 3
	redriveBatch    = 100 // rejects of one transaction
)

// redriveRun is one Run.
type redriveRun struct {
	*Redrive
	tx      *kafka.Transactor // nil in a dry run
	id      string            // of the rejects topic
	known   rejectStates      // read when no other redrive was under way any more
	tick    <-chan time.Time  // nil without a rate
	tried   int64
	summary RedriveSummary
	open    int // rejects of the transaction under way
	waiting []Redriven
	see     func(Redriven) error
}

// Run redrives the rejects that there are now and gives what became of each to see, when that is committed.
func (r *Redrive) Run(ctx context.Context, see func(Redriven) error) (RedriveSummary, error) {
	if r.MaxAttempts == 0 {
		r.MaxAttempts = defaultAttempts
	}
	w := &redriveRun{Redrive: r, summary: RedriveSummary{}, see: see}
	if err := w.begin(ctx); err != nil {
		return w.summary, err
	}
	if w.tx != nil {
		defer w.tx.Close()
	} else if !w.DryRun {
		_, _, err := w.Cluster.Identity(ctx, w.Topic) // nothing was ever rejected
		return w.summary, err
	}
	if r.Rate > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / r.Rate))
		defer ticker.Stop()
		w.tick = ticker.C
	}
	all := r.Rejects
	all.Limit, all.Waiting = 0, false
	err := all.List(ctx, func(x Reject) error { return w.one(ctx, x) })
	if err == nil || errors.Is(err, errLimit) {
		err = w.commit(ctx)
	}
	return w.summary, err
}

// begin fences an earlier redrive of the topic, so that the states read after it are final.
func (w *redriveRun) begin(ctx context.Context) error {
	rejects := flow.RejectsTopic(w.Topic)
	_, _, err := w.Cluster.Identity(ctx, rejects)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	if err == nil && !w.DryRun {
		err = w.Cluster.Ensure(ctx, kafka.Topic{Name: StateTopic(w.Topic), Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
		if err == nil {
			w.tx, err = w.Cluster.NewTransactor(ctx, w.Cluster.Name("redrive."+w.Topic), rejects)
		}
	}
	if err == nil {
		w.id, err = w.topicID(ctx)
	}
	if err == nil {
		w.known, err = w.states(ctx)
	}
	if err != nil {
		return fmt.Errorf("prepare redrive: %w", err)
	}
	return nil
}

func (w *redriveRun) one(ctx context.Context, x Reject) error {
	attempt, err := strconv.Atoi(x.Facts[headerAttempt])
	if err != nil {
		attempt = 1
	}
	now := Redriven{Partition: x.Partition, Offset: x.Offset, Attempt: attempt + 1}
	switch {
	case x.Facts[flow.HeaderLink] != w.Link:
		now.Outcome, now.Message = OutcomeOther, "put aside by "+cmp.Or(x.Facts[flow.HeaderLink], "produce")
	case w.known.of(x) != StateWaiting:
		now.Outcome = OutcomeDone
	case attempt >= w.MaxAttempts:
		now.Outcome, now.Message = OutcomeGivenUp, fmt.Sprintf("tried %d times: mend it, or raise --max-attempts", attempt)
	}
	if now.Outcome != "" {
		w.waiting = append(w.waiting, now)
		return w.tell()
	}
	if err := w.turn(ctx); err != nil {
		return err
	}
	record, err := w.Type(ctx, x)
	why, rejected := schemas.AsReject(err)
	if err != nil && !rejected {
		return err
	}
	now.Outcome = OutcomeSent
	if rejected {
		now.Outcome, now.Code, now.Message = OutcomeAgain, why.Code, why.Message
		record = rejectAgain(x, why, now.Attempt)
	}
	w.waiting = append(w.waiting, now)
	if w.DryRun {
		return w.tell()
	}
	return w.write(ctx, x, record)
}

// turn waits for the turn of the next reject that is tried; errLimit when there were enough.
func (w *redriveRun) turn(ctx context.Context) error {
	if w.tried++; w.Limit > 0 && w.tried > w.Limit {
		return errLimit
	}
	if w.tick == nil {
		return nil
	}
	select {
	case <-w.tick:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write adds what became of a reject to the transaction. record is nil where nothing comes of it.
func (w *redriveRun) write(ctx context.Context, x Reject, record *kafka.Record) error {
	if w.open == 0 {
		if err := w.tx.Begin(); err != nil {
			return err
		}
	}
	state, err := stateRecord(x, w.waiting[len(w.waiting)-1], w.id)
	if err != nil {
		return err
	}
	if record != nil {
		w.tx.Produce(ctx, record, nil)
	}
	w.tx.Produce(ctx, state, nil)
	if w.open++; w.open < redriveBatch && w.Rate == 0 {
		return nil
	}
	return w.commit(ctx)
}

// commit makes the transaction visible, and tells what is waiting to be told.
func (w *redriveRun) commit(ctx context.Context) error {
	if w.open > 0 {
		if err := w.tx.Commit(ctx); err != nil {
			return err
		}
		w.open = 0
	}
	return w.tell()
}

// tell tells what is waiting to be told, unless that is not yet committed.
func (w *redriveRun) tell() error {
	if w.open > 0 {
		return nil
	}
	for _, x := range w.waiting {
		w.summary[x.Outcome]++
		if err := w.see(x); err != nil {
			return err
		}
	}
	w.waiting = w.waiting[:0]
	return nil
}
