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
	ErrTakenOver   = fmt.Errorf("another process has taken this run over, or the brokers were away for more than %s: start it again, it goes on where it stopped", kafka.TransactionTimeout)
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
	filed   int64        // rejects of the production before this run's
	before  progress.Run // as it was when this process began
	counts  [2]int64     // of the production then: acked, rejects
	due     atomic.Bool
	ticker  *time.Timer
}

// look finds the run that a text belongs to; nil when it is not recorded.
func (c Recording) look(ctx context.Context, file string, begun progress.Run) (*runRecord, error) {
	if c.Log == nil && c.ExactlyOnce {
		return nil, errors.New("internal error: exactly once without a log of runs")
	}
	if c.Log == nil {
		return nil, nil
	}
	var head []byte
	if c.Name == "" {
		var err error
		if head, err = textfile.Head(file, progress.HeadSize); errors.Is(err, textfile.ErrOnce) {
			if c.ExactlyOnce {
				return nil, fmt.Errorf("%s: %w", file, ErrNeedsName)
			}
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	begun = progress.Begin(begun.Topic, begun.Subject, c.Name, head)
	begun.Started, begun.File, begun.State, begun.ExactlyOnce = time.Now().UnixMilli(), file, progress.Running, c.ExactlyOnce
	run, found, err := c.Log.find(ctx, begun, head)
	return &runRecord{log: c.Log, run: run, found: found, grown: found && run.Key() != begun.Key(), begun: begun}, err
}

// refresh reads the run again, once nobody else can write to it, and says whether it may be gone on with.
func (r *runRecord) refresh(ctx context.Context, c Recording) error {
	if c.ExactlyOnce {
		known, err := r.log.read(ctx)
		if err != nil {
			return err
		}
		if run, ok := known[r.run.Key()]; ok {
			r.run, r.found = run, true
		}
	}
	switch {
	case !r.found:
		r.run = r.begun
	case c.Restart:
		r.startAnew()
	case c.ExactlyOnce && !r.exact():
		return fmt.Errorf("%s, run %s: %w", r.begun.File, r.run.Key(), ErrNotExact)
	}
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
		r.run, r.found, r.grown = r.begun, false, false
		return true, nil
	}
	return false, fmt.Errorf("%w: %w", ErrChangedText, err)
}

// earlier tells of the run that was found.
func (r *runRecord) earlier() EarlierRun {
	return EarlierRun{File: r.begun.File, Rows: r.run.Row, Rejects: r.run.Rejects, Time: time.UnixMilli(r.run.Time).UTC()}
}

// start begins to record; filed is the number of rejects of the production so far.
func (r *runRecord) start(filed int64) {
	r.filed = filed - r.run.Rejects
	r.run.File, r.run.State, r.run.Reason, r.run.ExactlyOnce = r.begun.File, progress.Running, "", r.begun.ExactlyOnce
	r.ticker = time.AfterFunc(settleEvery, r.tick)
}

func (r *runRecord) tick() { r.due.Store(true) }

// advance moves the record to a place in the text, up to which filed rejects of the production were put aside; false when it is there already.
func (r *runRecord) advance(at textfile.Position, filed int64) bool {
	r.due.Store(false)
	r.ticker.Reset(settleEvery)
	moved := at.Offset != r.run.Offset
	r.run.Offset, r.run.Line, r.run.Row, r.run.Sum = at.Offset, at.Line, at.Row, at.Sum
	r.run.Rejects = filed - r.filed
	r.run.Acked = r.run.Row - r.run.Rejects
	return moved
}

// close ends the ticking.
func (r *runRecord) close() {
	if r != nil && r.ticker != nil {
		r.ticker.Stop()
	}
}
