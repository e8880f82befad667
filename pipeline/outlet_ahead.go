package pipeline

import (
	"context"
	"sync"
	"time"

	"stripeline/pipeline/kafka"
)

// aheadOutlet hands records to an outlet from a goroutine of its own, so that rows are read and typed while those before them are sent. Everything
// but Produce reaches the outlet after what was produced before it, so that the outlet is used by one goroutine at a time. It is for one goroutine itself, but for Buffered and lost.
type aheadOutlet struct {
	outlet
	ended chan struct{} // closed when the goroutine has returned

	ctx    context.Context // of the records, ended by Close; from is what it is made of
	from   context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	moved  sync.Cond // something was added, taken or handed over
	queue  []queued
	bytes  int  // of queue
	busy   bool // what was taken is not handed over yet
	closed bool
}

// queued is one record with who is told of it.
type queued struct {
	ctx    context.Context
	record *kafka.Record
	done   func(*kafka.Record, error)
}

// What may wait to be handed over, and how long the goroutine rests when less than fewAhead did: it would be woken for every row otherwise.
const (
	mostAhead  = 4096    // records
	bytesAhead = 1 << 20 // or one record
	fewAhead   = 64
	restAhead  = 100 * time.Microsecond
)

func sendAhead(out outlet) *aheadOutlet {
	o := &aheadOutlet{outlet: out, ended: make(chan struct{})}
	o.moved.L = &o.mu
	go o.run()
	return o
}

// Produce blocks while the queue is full.
func (o *aheadOutlet) Produce(ctx context.Context, r *kafka.Record, done func(*kafka.Record, error)) {
	if o.from != ctx {
		o.from = ctx
		o.ctx, o.cancel = context.WithCancel(ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 && (len(o.queue) >= mostAhead || o.bytes >= bytesAhead) {
		o.moved.Wait()
	}
	o.queue = append(o.queue, queued{o.ctx, r, done})
	o.bytes += len(r.Key) + len(r.Value)
	if len(o.queue) == 1 && !o.busy {
		o.moved.Broadcast()
	}
}

// run hands over what is queued, until Close.
func (o *aheadOutlet) run() {
	defer close(o.ended)
	var batch []queued
	for {
		clear(batch)
		if batch = o.take(batch[:0]); batch == nil {
			return
		}
		for _, q := range batch {
			o.outlet.Produce(q.ctx, q.record, q.done)
		}
		if len(batch) < fewAhead {
			time.Sleep(restAhead)
		}
	}
}

// take waits for records and leaves free in their place; nil when the outlet is closed and nothing is left.
func (o *aheadOutlet) take(free []queued) []queued {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = false
	o.moved.Broadcast()
	for len(o.queue) == 0 {
		if o.closed {
			return nil
		}
		o.moved.Wait()
	}
	batch := o.queue
	o.queue, o.bytes, o.busy = free, 0, true
	o.moved.Broadcast()
	return batch
}

// caughtUp waits until everything that was produced is handed over.
func (o *aheadOutlet) caughtUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > 0 || o.busy {
		o.moved.Wait()
	}
}

func (o *aheadOutlet) settle(ctx context.Context, last *kafka.Record) error {
	o.caughtUp()
	return o.outlet.settle(ctx, last)
}

func (o *aheadOutlet) drop(ctx context.Context) {
	o.caughtUp()
	o.outlet.drop(ctx)
}

// Buffered counts what is not handed over too.
func (o *aheadOutlet) Buffered() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(o.bytes) + o.outlet.Buffered()
}

// Close gives up what waits, which is nothing after a settle, and then ends the outlet.
func (o *aheadOutlet) Close() {
	if o.cancel != nil {
		o.cancel()
	}
	o.mu.Lock()
	o.closed = true
	o.moved.Broadcast()
	o.mu.Unlock()
	<-o.ended
	o.outlet.Close()
}
