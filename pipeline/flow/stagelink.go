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
	m, err := newMember(ctx, c, LinkStatus{Name: l.Name, Group: group, Input: l.Input}, l.Limits, o)
	if err != nil {
		return err
	}
	producer, err := m.producer(ctx, l.Compression)
	if err != nil {
		return err
	}
	defer producer.Close()
	m.work = func(p *partition) {
		w := &stageWork{link: l, p: p, out: &outbox{p, producer}}
		w.run()
	}
	return m.run(ctx, m.poll)
}

// stageWork takes one partition's records through a stage.
type stageWork struct {
	link *StageLink
	p    *partition
	out  *outbox
	outs []*kafka.Record // what the stage made of the record at hand
}

func (w *stageWork) run() {
	w.p.report.state(w.p.number, StateRunning, nil)
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
	err := w.p.retry("stage", func() error {
		w.outs = w.outs[:0]
		return w.link.Stage(r, w.emit)
	})
	if _, rejected := schemas.AsReject(err); rejected {
		w.out.reject(w.link.Name, r, number, err)
		return true
	}
	if err != nil {
		w.p.window.abandon()
		return false
	}
	w.p.window.hold(number, len(w.outs))
	for _, out := range w.outs {
		w.out.answer(out, letter{link: w.link.Name, source: r, number: number})
	}
	clear(w.outs)
	w.p.settle(number)
	return true
}

func (w *stageWork) emit(r *kafka.Record) { w.outs = append(w.outs, r) }
