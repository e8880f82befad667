package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// outbox writes what a partition emits. A record that the brokers refuse is written again after a pause, for as long as
// the partition lives: what waits for it is not done before.
type outbox struct {
	p        *partition
	producer *kafka.Producer
	link     string
}

// letter is one record on its way. It travels as the record's context, so that one function serves all confirmations.
type letter struct {
	context.Context
	box       *outbox
	confirmed func()
	source    *kafka.Record // the record that it came from, settled under number when confirmed is nil
	number    uint64
	attempt   int
}

// send writes a record and calls confirmed, which must not block, when the brokers have it.
func (o *outbox) send(r *kafka.Record, confirmed func()) {
	o.post(r, &letter{Context: o.p.ctx, box: o, confirmed: confirmed})
}

// answer writes a record that came from an input record and settles that when the brokers have it. If it is larger than
// its topic allows, the input record is a reject.
func (o *outbox) answer(r *kafka.Record, from *letter) { o.post(r, from) }

func (o *outbox) post(r *kafka.Record, l *letter) {
	r.Context = l
	o.producer.Send(l, r, arrived)
}

// arrived hears what became of a record.
func arrived(r *kafka.Record, err error) {
	l, ok := r.Context.(*letter)
	if !ok {
		panic("internal error: flow: record without its letter")
	}
	p := l.box.p
	err = kafka.Explain(r, err)
	switch {
	case err == nil && l.confirmed != nil:
		l.confirmed()
	case err == nil:
		p.report.emitted(1)
		p.settle(l.number)
	case p.ctx.Err() != nil:
	case l.confirmed == nil && errors.Is(err, kafka.ErrTooLarge):
		why := schemas.Reject("too-large", fmt.Sprintf("becomes a record of %d bytes, more than topic %s allows", len(r.Key)+len(r.Value), r.Topic))
		l.box.reject(l.source, l.number, why)
	default:
		p.report.retry(p.number, fmt.Errorf("write: %w", err))
		time.AfterFunc(backoff(l.attempt), func() {
			l.attempt++
			l.box.post(r, l)
		})
	}
}

// reject files a record and settles it, once, when the brokers have the reject.
func (o *outbox) reject(r *kafka.Record, number uint64, why error) {
	reason := rejection(why)
	o.send(RejectRecord(o.link, r, reason), func() {
		o.p.report.rejected(r, reason)
		o.p.settle(number)
	})
}
