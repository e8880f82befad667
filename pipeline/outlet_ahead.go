package pipeline

import (
	"context"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
)

// aheadOutlet hands records to an outlet from a goroutine of its own, many at once, so that rows are read and typed while those before them are
// sent. Everything but Produce and push reaches the outlet after what was produced before it, so that the outlet is used by one goroutine at a time.
// It is for one goroutine itself, but for Buffered and lost. A record that has no timestamp gets that of the moment it is handed over.
type aheadOutlet struct {
	outlet
	filling recordBatch      // not pushed yet
	full    chan recordBatch // to the goroutine
	empty   chan []queued    // from it
	ended   chan struct{}    // closed when the goroutine has returned
	waiting atomic.Int64     // bytes that are produced and not handed over

	ctx    context.Context // of the records, ended by Close; from is what it is made of
	from   context.Context
	cancel context.CancelFunc
}

// queued is one record with who is told of it.
type queued struct {
	record *kafka.Record
	done   func(*kafka.Record, error)
}

// recordBatch is what reaches the goroutine at once: records of one context, or the question whether it has come so far.
type recordBatch struct {
	ctx     context.Context
	records []queued
	bytes   int64
	reached chan struct{} // closed by the goroutine; nil for records
}

// What is handed over at once, and how many batches may wait: 2 MiB, or one record that is larger than a batch.
const (
	recordsAtOnce      = 1024
	bytesAtOnce        = 256 << 10
	recordBatchesAhead = 8
	stampedAtOnce      = 64 // records that may share a timestamp
)

func sendAhead(out outlet) *aheadOutlet {
	o := &aheadOutlet{
		outlet: out, full: make(chan recordBatch, recordBatchesAhead), empty: make(chan []queued, recordBatchesAhead), ended: make(chan struct{}),
	}
	go o.run()
	return o
}

// Produce blocks while too much waits. What it takes may stay behind until push.
func (o *aheadOutlet) Produce(ctx context.Context, r *kafka.Record, done func(*kafka.Record, error)) {
	if o.from != ctx {
		o.push()
		o.from = ctx
		o.ctx, o.cancel = context.WithCancel(ctx)
	}
	f := &o.filling
	f.records = append(f.records, queued{r, done})
	f.bytes += int64(len(r.Key) + len(r.Value))
	if len(f.records) >= recordsAtOnce || f.bytes >= bytesAtOnce {
		o.push()
	}
}

// push hands over what has been produced so far.
func (o *aheadOutlet) push() {
	f := o.filling
	if len(f.records) == 0 {
		return
	}
	if f.bytes > 2*bytesAtOnce { // large records: one batch is sent while the next is filled
		o.caughtUp()
	}
	f.ctx = o.ctx
	o.waiting.Add(f.bytes)
	o.full <- f
	o.filling = recordBatch{}
	select {
	case o.filling.records = <-o.empty:
	default:
	}
}

// run hands over what is pushed, until Close.
func (o *aheadOutlet) run() {
	defer close(o.ended)
	for f := range o.full {
		if f.reached != nil {
			close(f.reached)
			continue
		}
		var now time.Time
		for i, q := range f.records {
			if i%stampedAtOnce == 0 {
				now = time.Now()
			}
			if q.record.Timestamp.IsZero() {
				q.record.Timestamp = now // the client would ask the clock for each
			}
			o.outlet.Produce(f.ctx, q.record, q.done)
		}
		o.waiting.Add(-f.bytes)
		clear(f.records)
		select {
		case o.empty <- f.records[:0]:
		default:
		}
	}
}

// caughtUp waits until everything that was pushed is handed over.
func (o *aheadOutlet) caughtUp() {
	reached := make(chan struct{})
	o.full <- recordBatch{reached: reached}
	<-reached
}

func (o *aheadOutlet) settle(ctx context.Context, last *kafka.Record) error {
	o.push()
	o.caughtUp()
	return o.outlet.settle(ctx, last)
}

func (o *aheadOutlet) drop(ctx context.Context) {
	o.push()
	o.caughtUp()
	o.outlet.drop(ctx)
}

// Buffered counts what is not handed over too.
func (o *aheadOutlet) Buffered() int64 { return o.waiting.Load() + o.outlet.Buffered() }

// Close gives up what waits, which is nothing after a settle, and then ends the outlet.
func (o *aheadOutlet) Close() {
	if o.cancel != nil {
		o.cancel()
	}
	close(o.full)
	<-o.ended
	o.outlet.Close()
}
