package flow

import (
	"context"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// Run runs the link until ctx ends; see SinkLink.Run.
func (l *StageLink) Run(ctx context.Context, c *kafka.Cluster, o *Observer) error {
	group := l.Group
	if group == "" {
		group = c.Name(l.Name)
	}
	m, err := newMember(ctx, c, o, spec{LinkStatus{Name: l.Name, Group: group, Input: l.Input}, l.Limits})
	if err != nil {
		return err
	}
	producer, err := m.producer(ctx, l.Compression)
	if err != nil {
		return err
	}
	defer producer.Close()
	m.work = func(p *partition) {
		w := &stageWork{link: l, p: p, out: &outbox{p, producer, l.Name}}
		w.run()
	}
	return m.run(ctx, m.poll)
}

// stageWork takes one partition's records through a stage.
type stageWork struct {
	link  *StageLink
	p     *partition
	out   *outbox
	outs  []*kafka.Record // what the stage made of the record at hand
	add   func(*kafka.Record)
	blank []letter // not used yet
}

func (w *stageWork) run() {
	w.p.report.state(w.p.number, StateRunning, nil)
	w.add = w.emit
	for {
		batch, ok := w.p.take()
		if !ok {
			break
		}
		for _, r := range batch.records {
			if w.p.leaving() || !w.one(r) {
				break
			}
		}
	}
	select {
	case <-w.p.window.settled():
	case <-w.p.ctx.Done():
	}
}

// one takes a record through the stage and writes what it emits; false when the partition is on its way out.
func (w *stageWork) one(r *kafka.Record) bool {
	number := w.p.window.start()
	if err := w.stage(r); err != nil {
		err = w.p.retryAfter("stage", err, func() error { return w.stage(r) })
		if _, rejected := schemas.AsReject(err); rejected {
			w.out.reject(r, number, err)
			return true
		}
		if err != nil {
			w.p.window.abandon()
			return false
		}
	}
	w.answer(r, number)
	return true
}

// answer writes what the stage made of a record: its last confirmation settles the record.
func (w *stageWork) answer(r *kafka.Record, number uint64) {
	switch n := len(w.outs); n {
	case 0:
		w.p.settle(number)
		return
	case 1: // what every record is waited for anyway
	default:
		w.p.window.hold(number, n-1)
	}
	for _, out := range w.outs {
		w.out.answer(out, w.letter(r, number))
	}
	clear(w.outs)
}

func (w *stageWork) stage(r *kafka.Record) error {
	w.outs = w.outs[:0]
	return w.link.Stage(r, w.add)
}

// letter gives a fresh letter; they are made by the hundred.
func (w *stageWork) letter(r *kafka.Record, number uint64) *letter {
	if len(w.blank) == 0 {
		w.blank = make([]letter, 128)
	}
	l := &w.blank[0]
	w.blank = w.blank[1:]
	l.Context, l.box, l.source, l.number = w.p.ctx, w.out, r, number
	return l
}

func (w *stageWork) emit(r *kafka.Record) { w.outs = append(w.outs, r) }
