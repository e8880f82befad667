package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/processors/conform"
)

// Ack is the brokers' word for one record.
type Ack struct {
	Number    int64 // of the record in this run, from 1
	Partition int32
	Offset    int64
	Took      time.Duration // since it was handed to the producer
}

// RowProgress is where a run stands. It is safe for concurrent use.
type RowProgress struct {
	Bytes   atomic.Int64 // read, after decompression
	Rows    atomic.Int64 // read
	Acked   atomic.Int64 // confirmed by the brokers
	Rejects atomic.Int64 // put aside, confirmed

	waiting atomic.Pointer[string]
}

// Waiting says what the run has been waiting for, "" while it does not wait for long.
func (p *RowProgress) Waiting() string {
	if what := p.waiting.Load(); what != nil {
		return *what
	}
	return ""
}

// sender hands records to a producer. What it needs for them is taken for many records at once, and used again when the brokers have confirmed all
// of these.
type sender struct {
	out      outlet
	topic    string
	progress *RowProgress
	acked    func(Ack) // nil: nobody is told
	sync     bool      // wait for each record
	waiting  chan struct{}
	pool     sync.Pool // of *crate
	crate    *crate
	numbers  int64
	stop     func(error) // ends reading after the first error
}

// crate is what many records need on their way.
type crate struct {
	carriers [64]carrier
	used     int // given out
	left     atomic.Int32
}

// carrier is one record on its way.
type carrier struct {
	record kafka.Record
	crate  *crate
	number int64
	begun  time.Time
	done   func(*kafka.Record, error)
}

func newSender(topic string, progress *RowProgress) *sender {
	s := &sender{topic: topic, progress: progress, waiting: make(chan struct{}, 1)}
	s.pool.New = func() any {
		all := &crate{}
		for i := range all.carriers {
			c := &all.carriers[i]
			c.crate = all
			c.done = func(r *kafka.Record, err error) { s.confirm(c, r, err) }
		}
		return all
	}
	return s
}

// carrier gives one that nothing else uses.
func (s *sender) carrier() *carrier {
	if s.crate == nil || s.crate.used == len(s.crate.carriers) {
		s.crate = s.pool.Get().(*crate)
		s.crate.used = 0
		s.crate.left.Store(int32(len(s.crate.carriers)))
	}
	s.crate.used++
	return &s.crate.carriers[s.crate.used-1]
}

// send hands over a record; its slices belong to the producer from now on.
func (s *sender) send(ctx context.Context, made conform.Record) {
	s.numbers++
	c := s.carrier()
	c.number = s.numbers
	c.record = kafka.Record{Topic: s.topic, Key: made.Key, Value: made.Value}
	for _, h := range made.Headers {
		c.record.Headers = append(c.record.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	if s.acked != nil {
		c.begun = time.Now()
	}
	s.out.Produce(ctx, &c.record, c.done)
	if s.sync {
		select {
		case <-s.waiting:
		case <-ctx.Done():
		}
	}
}

// confirm is called by the producer, in the order of each partition.
func (s *sender) confirm(c *carrier, r *kafka.Record, err error) {
	if err != nil {
		s.stop(kafka.Explain(r, err))
	} else {
		s.progress.Acked.Add(1)
		if s.acked != nil {
			s.acked(Ack{Number: c.number, Partition: r.Partition, Offset: r.Offset, Took: time.Since(c.begun)})
		}
	}
	if c.crate.left.Add(-1) == 0 {
		s.pool.Put(c.crate)
	}
	if s.sync {
		s.waiting <- struct{}{}
	}
}

// drainTime is how long what was sent may still be confirmed after a run has been interrupted.
const drainTime = 10 * time.Second

// outlasting gives a context that ends drainTime after ctx, or with the function.
func outlasting(ctx context.Context) (context.Context, func(error)) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var timer atomic.Pointer[time.Timer]
	release := context.AfterFunc(ctx, func() { timer.Store(time.AfterFunc(drainTime, func() { cancel(context.Cause(ctx)) })) })
	return longer, func(err error) {
		release()
		if t := timer.Load(); t != nil {
			t.Stop()
		}
		cancel(err)
	}
}
