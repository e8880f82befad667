package pipeline

import (
	"context"
	"io"
	"time"

	"stripeline/schemas/rowplan"
)

// idleTick is how often a run that waits for rows looks whether progress is to be recorded.
const idleTick = 100 * time.Millisecond

// drain sends the rows of one stream, which is read ahead meanwhile. When it returns nobody reads any more.
func (r *rowRun) drain(reading, sending context.Context, s stream) error {
	defer r.push()
	ctx, stop := context.WithCancel(reading)
	ahead := readAhead(ctx, s, r.rowsAtOnce())
	defer func() {
		stop()
		<-ahead.done
	}()
	for r.between = true; ; {
		if err := r.settled(); err != nil {
			return err
		}
		c, err := r.next(reading, ahead)
		if err != nil {
			return err // here every row that was taken has been sent
		}
		r.between = false
		for i := range c.Rows {
			if err := r.take(sending, &s, &c.Rows[i]); err != nil {
				return err
			}
		}
		r.reached, r.between = c.place, true
		if c.err == io.EOF {
			return r.tooManyAtEnd(s)
		}
		if c.err != nil {
			return ofText(reading, c.err)
		}
		ahead.empty <- c
	}
}

// take sends one row.
func (r *rowRun) take(ctx context.Context, s *stream, row *rowplan.Row) error {
	r.Progress.Bytes.Store(r.before + row.Offset)
	r.Progress.Rows.Add(1)
	if err := r.sendRow(ctx, s, row); err != nil {
		return err
	}
	if r.read++; r.read == shareRows {
		return r.tooMany(row.File)
	}
	return nil
}

// next gives the next rows. While it waits, what is at hand is sent and progress recorded.
func (r *rowRun) next(ctx context.Context, ahead *aheadReader) (*readRows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c := <-ahead.full:
		return c, nil
	default:
	}
	r.push()
	ticker := time.NewTicker(idleTick)
	defer ticker.Stop()
	for {
		select {
		case c := <-ahead.full:
			return c, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
			if err := r.settled(); err != nil {
				return nil, err
			}
		}
	}
}

// settled records progress when it is time to.
func (r *rowRun) settled() error {
	if r.settle == nil {
		return nil
	}
	return r.settle()
}

// push lets go of rows that wait for others to be sent with.
func (r *rowRun) push() {
	if r.ahead != nil {
		r.ahead.push()
	}
}

// readRows is what was read at once, and how far. Behind an error nothing more comes.
type readRows struct {
	rowplan.Batch
	place place
	err   error
}

// aheadReader reads a stream in a goroutine of its own, a few batches ahead.
type aheadReader struct {
	full  chan *readRows // nothing comes behind an error
	empty chan *readRows
	done  chan struct{} // closed when nobody reads any more
}

// batchesAhead is how many batches of rows there are: one is sent, one is read, the others wait.
const batchesAhead = 4

// rowsAtOnce is how many rows are sent before it is looked whether progress is to be recorded.
func (r *rowRun) rowsAtOnce() int {
	if r.Sync {
		return 16 // each is a round trip
	}
	return rowplan.BatchRows
}

// readAhead reads until an error, or ctx ends, batches of at most so many rows. Whoever takes from full gives back to empty.
func readAhead(ctx context.Context, s stream, most int) *aheadReader {
	a := &aheadReader{make(chan *readRows, batchesAhead), make(chan *readRows, batchesAhead), make(chan struct{})}
	for range batchesAhead {
		a.empty <- &readRows{Batch: rowplan.Batch{Most: most}}
	}
	go a.run(ctx, s)
	return a
}

func (a *aheadReader) run(ctx context.Context, s stream) {
	defer close(a.done)
	for {
		var c *readRows
		select {
		case c = <-a.empty:
		case <-ctx.Done():
			return
		}
		c.err = s.source.Fill(ctx, &c.Batch)
		c.place = s.place()
		a.full <- c
		if c.err != nil {
			return
		}
	}
}
