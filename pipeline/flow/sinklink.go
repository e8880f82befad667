package flow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// Run runs the link until ctx ends; then it drains as after a revocation and returns nil. Any other return is an error
// that running again cannot mend, as ErrOtherTopic.
func (l *SinkLink[In, Out]) Run(ctx context.Context, c *kafka.Cluster, o *Observer) error {
	m, err := newMember(ctx, c, o, spec{LinkStatus{Name: l.Name, Group: c.Name(l.Name), Input: l.Input}, l.Limits})
	if err != nil {
		return err
	}
	producer, err := m.producer(ctx, "")
	if err != nil {
		return err
	}
	defer producer.Close()
	m.work = func(p *partition) {
		w := &sinkWork[In, Out]{link: l, p: p, out: &outbox{p, producer, l.Name}, woken: make(chan struct{}, 1)}
		w.run()
	}
	return m.run(ctx, m.poll)
}

// producer opens the producer of an at-least-once link and makes sure that rejects have a place.
func (m *member) producer(ctx context.Context, compression string) (*kafka.Producer, error) {
	rejects := RejectsTopic(m.link.Input)
	made, err := EnsureRejects(ctx, m.cluster, m.link.Input)
	if err != nil {
		return nil, fmt.Errorf("start link %s: %w", m.link.Name, err)
	}
	return m.cluster.NewProducer(kafka.ProducerConfig{
		Name:        m.link.Name,
		Compression: compression,
		Manual:      []string{rejects},
		BatchFor:    batchFor(rejects, made.MaxMessageBytes, m.limits.MaxBatch),
	})
}

func rejection(err error) *schemas.Rejection {
	reason, ok := schemas.AsReject(err)
	if !ok {
		panic("internal error: flow: not a rejection: " + err.Error())
	}
	return reason
}

// sinkWork feeds one partition's sink. Its two goroutines are the one that puts (run) and the one that flushes.
type sinkWork[In, Out any] struct {
	link *SinkLink[In, Out]
	p    *partition
	out  *outbox
	sink Sink[In, Out]

	add   func(In)
	ins   []In          // what the stage made of the record at hand
	woken chan struct{} // has a token when there is something to flush, or nothing more will come

	mu     sync.Mutex
	put    []uint64 // records that are put and not flushed
	closed bool     // nothing more will be put
}

func (w *sinkWork[In, Out]) run() {
	if err := w.p.retry("open sink", w.open); err != nil {
		return
	}
	defer w.close()
	w.add = w.emit
	w.p.report.state(w.p.number, StateRunning, nil)
	var flusher sync.WaitGroup
	flusher.Go(w.flushLoop)
	w.putLoop()
	w.finish()
	flusher.Wait()
	select {
	case <-w.p.window.settled():
	case <-w.p.ctx.Done():
	}
}

func (w *sinkWork[In, Out]) open() (err error) {
	w.sink, err = w.link.Open(w.p.ctx, w.p.number)
	return err
}

func (w *sinkWork[In, Out]) close() {
	if err := w.sink.Close(); err != nil {
		w.p.report.log.Warn("sink not closed", "link", w.link.Name, "partition", w.p.number, "err", err)
	}
}

func (w *sinkWork[In, Out]) putLoop() {
	for {
		batch, ok := w.p.take()
		if !ok {
			return
		}
		for _, r := range batch.records {
			if w.p.leaving() || !w.one(r) {
				return
			}
		}
	}
}

// one takes a record through the stage into the sink; false when the partition is on its way out.
func (w *sinkWork[In, Out]) one(r *kafka.Record) bool {
	number := w.p.window.start()
	err := w.stage(r)
	if err != nil {
		err = w.p.retryAfter("stage", err, func() error { return w.stage(r) })
	}
	puts := 0
	for i := 0; err == nil && i < len(w.ins); i++ {
		if err = w.sink.Put(w.p.ctx, w.ins[i]); err != nil {
			err = w.p.retryAfter("put", err, func() error { return w.sink.Put(w.p.ctx, w.ins[i]) })
		}
		puts++
	}
	clear(w.ins)
	if _, rejected := schemas.AsReject(err); rejected {
		w.p.window.hold(number, 1)
		w.out.reject(r, number, err)
		err = nil
	}
	if err != nil {
		w.p.window.abandon()
		return false
	}
	w.done(number, puts)
	return true
}

func (w *sinkWork[In, Out]) stage(r *kafka.Record) error {
	w.ins = w.ins[:0]
	return w.link.Stage(r, w.add)
}

func (w *sinkWork[In, Out]) emit(in In) { w.ins = append(w.ins, in) }

// done hands a record over to the next flush, if there is anything of it to flush.
func (w *sinkWork[In, Out]) done(number uint64, puts int) {
	if puts == 0 {
		w.p.settle(number)
		return
	}
	w.mu.Lock()
	w.put = append(w.put, number)
	w.mu.Unlock()
	w.wake()
}

func (w *sinkWork[In, Out]) finish() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.wake()
}

func (w *sinkWork[In, Out]) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// flushLoop flushes whenever something is unflushed: while it does, the next batch fills.
func (w *sinkWork[In, Out]) flushLoop() {
	for {
		batch, more := w.unflushed()
		if len(batch) > 0 && !w.flush(batch) {
			return
		}
		if len(batch) > 0 {
			continue
		}
		if !more {
			return
		}
		select {
		case <-w.woken:
		case <-w.p.ctx.Done():
			return
		}
	}
}

func (w *sinkWork[In, Out]) unflushed() (batch []uint64, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, w.put = w.put, nil
	return batch, !w.closed
}

// flush makes a batch durable and settles it when what the sink said is confirmed; false when the partition has ended.
func (w *sinkWork[In, Out]) flush(batch []uint64) bool {
	var open atomic.Int64 // acks under way, and 1 for the flush itself
	open.Store(1)
	confirmed := func() {
		if open.Add(-1) == 0 {
			w.p.settle(batch...)
		}
	}
	emit := func(out Out) {
		open.Add(1)
		w.ack(out, confirmed)
	}
	err := w.p.persist("flush", func() error { return notRejected(w.sink.Flush(w.p.ctx, emit)) })
	if err != nil {
		return false
	}
	w.p.report.count(func(c *Counts) { c.Flushes++ })
	confirmed()
	return true
}

// errRejectedFlush keeps a rejection out of places where nothing can be rejected.
var errRejectedFlush = errors.New("a flush cannot reject")

func notRejected(err error) error {
	if _, ok := schemas.AsReject(err); ok {
		return fmt.Errorf("%w: %s", errRejectedFlush, err.Error())
	}
	return err
}

// ack writes what the sink said.
func (w *sinkWork[In, Out]) ack(out Out, confirmed func()) {
	var r *kafka.Record
	err := w.p.persist("encode ack", func() (err error) {
		r, err = w.link.Encode(out)
		return notRejected(err)
	})
	if err != nil {
		return
	}
	w.out.send(r, func() {
		w.p.report.emitted(1)
		confirmed()
	})
}
