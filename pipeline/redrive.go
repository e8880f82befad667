package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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
// on <topic>.rejects.state (compacted) with the key "<rejects topic>-<partition>-<offset>" and the value of Redriven as JSON.
type Redrive struct {
	Rejects
	Type        Typing
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

// StateTopic is where it is written what became of a topic's rejects.
func StateTopic(topic string) string { return flow.RejectsTopic(topic) + ".state" }

func stateKey(x Reject) string { return fmt.Sprintf("%s-%d-%d", x.Topic, x.Partition, x.Offset) }

// redriveRun is one Run.
type redriveRun struct {
	*Redrive
	tx      *kafka.Transactor // nil in a dry run
	known   map[string]bool   // keys that have a state
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
	w := &redriveRun{Redrive: r, known: map[string]bool{}, summary: RedriveSummary{}, see: see}
	if err := w.begin(ctx); err != nil {
		return w.summary, err
	}
	if w.tx != nil {
		defer w.tx.Close()
	}
	var tick <-chan time.Time
	if r.Rate > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / r.Rate))
		defer ticker.Stop()
		tick = ticker.C
	}
	err := r.List(ctx, func(x Reject) error {
		if tick != nil {
			select {
			case <-tick:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return w.one(ctx, x)
	})
	if err == nil {
		err = w.commit(ctx)
	}
	return w.summary, err
}

// begin fences an earlier redrive of the topic, so that the states read after it are final.
func (w *redriveRun) begin(ctx context.Context) error {
	states := StateTopic(w.Topic)
	if !w.DryRun {
		err := w.Cluster.Ensure(ctx, kafka.Topic{Name: states, Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
		if err != nil {
			return fmt.Errorf("prepare redrive: %w", err)
		}
		if w.tx, err = w.Cluster.NewTransactor(ctx, w.Cluster.Name("redrive."+w.Topic), flow.RejectsTopic(w.Topic)); err != nil {
			return fmt.Errorf("prepare redrive: %w", err)
		}
	} else if _, err := w.Cluster.Identify(ctx, states); err != nil {
		return nil // nothing was ever redriven
	}
	reading := &Consume{Cluster: w.Cluster, Topic: states}
	return reading.each(ctx, func(r *kafka.Record) error {
		w.known[string(r.Key)] = true
		return nil
	})
}

func (w *redriveRun) one(ctx context.Context, x Reject) error {
	attempt, err := strconv.Atoi(x.Facts[headerAttempt])
	if err != nil {
		attempt = 1
	}
	now := Redriven{Partition: x.Partition, Offset: x.Offset, Attempt: attempt + 1}
	switch {
	case w.known[stateKey(x)]:
		now.Outcome = OutcomeDone
	case attempt >= w.MaxAttempts:
		now.Outcome, now.Message = OutcomeGivenUp, fmt.Sprintf("tried %d times: mend it, or raise --max-attempts", attempt)
	}
	if now.Outcome != "" {
		w.waiting = append(w.waiting, now)
		return nil
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
		return nil
	}
	return w.write(ctx, x, record)
}

// write adds what became of a reject to the transaction. record is nil where nothing comes of it.
func (w *redriveRun) write(ctx context.Context, x Reject, record *kafka.Record) error {
	if w.open == 0 {
		if err := w.tx.Begin(); err != nil {
			return err
		}
	}
	state, err := json.Marshal(w.waiting[len(w.waiting)-1])
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if record != nil {
		w.tx.Produce(ctx, record, nil)
	}
	w.tx.Produce(ctx, &kafka.Record{Topic: StateTopic(w.Topic), Key: []byte(stateKey(x)), Value: state}, nil)
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
	for _, x := range w.waiting {
		w.summary[x.Outcome]++
		if err := w.see(x); err != nil {
			return err
		}
	}
	w.waiting = w.waiting[:0]
	return nil
}

// rejectAgain is the new reject of bytes that still do not fit.
func rejectAgain(x Reject, why *schemas.Rejection, attempt int) *kafka.Record {
	facts := maps.Clone(x.Facts)
	facts[flow.HeaderCode], facts[flow.HeaderMessage] = why.Code, why.Message
	facts[headerAttempt], facts[headerTime] = strconv.Itoa(attempt), time.Now().UTC().Format(time.RFC3339Nano)
	for _, h := range why.Headers {
		facts[h.Key] = string(h.Value)
	}
	again := &kafka.Record{Topic: x.Topic, Partition: x.Partition, Key: x.Key, Value: x.Value}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		again.Headers = append(again.Headers, kafka.Header{Key: name, Value: []byte(facts[name])})
	}
	again.Headers = append(again.Headers, kafka.Header{Key: "__connect.errors.exception.message", Value: []byte(why.Message)},
		kafka.Header{Key: "__connect.errors.topic", Value: []byte(strings.TrimSuffix(x.Topic, flow.RejectsTopic("")))})
	return again
}
