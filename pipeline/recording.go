package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/producers/textfile"
	"stripeline/schemas/progress"
)

// Recording says how the progress of a production is recorded, text by text. The zero Recording is not at all: every run begins anew.
type Recording struct {
	Log         *RunLog
	Name        string // names the run of a single text; "": the beginning of its content does
	Restart     bool   // begin anew what was recorded before
	ExactlyOnce bool   // rows, rejects and progress in transactions
}

// Errors of a run that cannot go on where an earlier one stopped.
var (
	ErrChangedText = errors.New("text is not the one that was sent before: --restart sends it from its start")
	ErrNeedsName   = errors.New("text can be read only once, so that its content cannot name the run: say --run NAME")
	ErrNotExact    = errors.New("an earlier run without --exactly-once did not end in peace, so that rows may be there already: go on without it, or --restart")
	ErrTakenOver   = errors.New("another process has taken this run over: let that one go on, or stop it and start this one again")
	ErrReadOnce    = fmt.Errorf("the brokers have dropped a transaction, as they do after %s without a word, and the text cannot be read again here: start it again, it goes on where it stopped", kafka.TransactionTimeout)
	ErrOneName     = errors.New("a name is for one text: name one file, or let their contents name the runs")
)

// interrupted is the reason of a run that a person stopped: it has recorded everything that it sent.
const interrupted = "interrupted"

// settleEvery is how often progress is recorded, which with ExactlyOnce is when rows become visible.
const settleEvery = 200 * time.Millisecond

// EarlierRun is what was found of a text's run when it was begun again.
type EarlierRun struct {
	File    string    `json:"file"`
	Rows    int64     `json:"rows"` // confirmed before
	Rejects int64     `json:"rejects"`
	Time    time.Time `json:"time"`
	Done    bool      `json:"done"` // it had been read to its end, and nothing has come since
}

// runRecord is the record of one text's run while its rows are sent.
type runRecord struct {
	log     *RunLog
	run     progress.Run // as it will be recorded next
	settled progress.Run // as it was recorded last
	found   bool         // an earlier run was found, and is gone on with
	grown   bool         // its text was shorter, so another text may have begun in the same way
	begun   progress.Run // of the text as it is now, for when it is another
	held    *held        // nil until nobody else can write to the run
	counted *counted     // nil until the first row is read
	began   bool         // to be read
	due     atomic.Bool
	ticker  *time.Timer
}

// counted is where this process and the production stood when the run began.
type counted struct {
	earlier               *EarlierRun  // nil when there was none
	done                  bool         // it was finished
	run                   progress.Run // as it was
	filed, read           int64        // of the production, without this run's
	rows, acked, rejected int64
}

// look gives the record of a text's run as if it were new, with the beginning of the text where that names it; nil when it is not recorded.
func (c Recording) look(ctx context.Context, file string, begun progress.Run) (rec *runRecord, head []byte, err error) {
	if c.Log == nil && c.ExactlyOnce {
		return nil, nil, errors.New("internal error: exactly once without a log of runs")
	}
	if c.Log == nil {
		return nil, nil, nil
	}
	if c.Name == "" {
		head, err = textfile.Head(file, progress.HeadSize)
		switch once := errors.Is(err, textfile.ErrOnce); {
		case once && c.ExactlyOnce:
			return nil, nil, fmt.Errorf("%s: %w", file, ErrNeedsName)
		case once:
			return nil, nil, nil
		case err != nil:
			return nil, nil, ofText(ctx, err)
		}
	}
	begun = progress.Begin(begun.Topic, begun.Subject, c.Name, head)
	begun.Started, begun.File, begun.State, begun.ExactlyOnce = time.Now().UnixMilli(), file, progress.Running, c.ExactlyOnce
	return &runRecord{log: c.Log, run: begun, begun: begun}, head, nil
}

// find finds the run that a text belongs to.
func (r *runRecord) find(ctx context.Context, head []byte) (err error) {
	r.run, r.found, err = r.log.find(ctx, r.begun, head)
	r.grown = r.found && r.run.Key() != r.begun.Key()
	return err
}

// refresh reads the run again, once nobody else can write to it, and says whether it may be gone on with.
func (r *runRecord) refresh(ctx context.Context, c Recording) error {
	var base *progress.Run
	if c.ExactlyOnce {
		known, err := r.log.read(ctx)
		if err != nil {
			return err
		}
		if run, ok := known[r.run.Key()]; ok {
			base = &run
		}
		if r.held != nil {
			return r.regain(base)
		}
		if base != nil {
			r.run, r.found = *base, true
		}
	}
	switch {
	case !r.found:
		r.run = r.begun
	case c.Restart:
		r.startAnew()
	case c.ExactlyOnce && !r.exact():
		return ofText(ctx, fmt.Errorf("%s, run %s: %w", r.begun.File, r.run.Key(), ErrNotExact))
	}
	r.held, r.settled = &held{base: base, offered: r.run}, r.run
	return nil
}

// startAnew forgets how far the run came. A text that has grown is a run of its own from now on.
func (r *runRecord) startAnew() {
	attempt := r.run.Attempt
	if r.grown {
		attempt = 0
	}
	r.run, r.found, r.grown = r.begun, false, false
	r.run.Attempt = attempt + 1
}

// exact says whether nothing behind the recorded place can be in the topic.
func (r *runRecord) exact() bool {
	return r.run.ExactlyOnce || r.run.State == progress.Finished || r.run.State == progress.Stopped && r.run.Reason == interrupted
}

// resume puts the text where the run stopped. A text that only begins like an earlier one's is a run of its own: other says so, and the text must be
// opened again.
func (r *runRecord) resume(ctx context.Context, to func(context.Context, textfile.Position) error) (other bool, err error) {
	if r.run.Offset == 0 {
		return false, nil
	}
	err = to(ctx, textfile.Position{Offset: r.run.Offset, Line: r.run.Line, Row: r.run.Row, Sum: r.run.Sum})
	if !errors.Is(err, textfile.ErrChanged) {
		return false, err
	}
	if r.grown {
		r.run, r.found, r.grown, r.held = r.begun, false, false, nil
		return true, nil
	}
	return false, fmt.Errorf("%w: %w", ErrChangedText, err)
}

// earlier tells of the run that was found.
func (r *runRecord) earlier() *EarlierRun {
	if !r.found {
		return nil
	}
	return &EarlierRun{File: r.begun.File, Rows: r.run.Row, Rejects: r.run.Rejects, Time: time.UnixMilli(r.run.Time).UTC()}
}

// start begins to record.
func (r *runRecord) start() {
	r.run.File, r.run.State, r.run.Reason, r.run.ExactlyOnce = r.begun.File, progress.Running, "", r.begun.ExactlyOnce
	r.due.Store(false)
	r.began = true
	r.ticker = time.AfterFunc(settleEvery, r.tick)
}

func (r *runRecord) tick() { r.due.Store(true) }

// advance moves the record to a place in the text, up to which filed rejects of the production were put aside; false when it is there already.
func (r *runRecord) advance(at textfile.Position, filed int64) bool {
	r.due.Store(false)
	r.ticker.Reset(settleEvery)
	moved := at.Offset != r.run.Offset
	r.run.Offset, r.run.Line, r.run.Row, r.run.Sum = at.Offset, at.Line, at.Row, at.Sum
	r.run.Rejects = filed - r.counted.filed
	r.run.Acked = r.run.Row - r.run.Rejects
	return moved
}

// close ends the ticking.
func (r *runRecord) close() {
	if r != nil && r.ticker != nil {
		r.ticker.Stop()
	}
}
