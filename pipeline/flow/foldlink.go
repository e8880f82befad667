package flow

import (
	"context"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
)

// ErrRebuild says that a fold cannot know its memory: its input's beginning is gone and its output holds no position.
var ErrRebuild = errors.New("memory cannot be built from what is left of the input: run `catalog rebuild`")

// ErrPosition says that a fold's position does not fit its input: the record before it is another than the one consumed.
var ErrPosition = errors.New("position does not fit the input")

// Run runs the link until ctx ends; then it finishes the transactions under way and returns nil. Any other return is an
// error that running again cannot mend: ErrOtherTopic, ErrRebuild, ErrPosition.
//
// After a fencing error it leaves the group and joins again.
func (l *FoldLink[S, In, Out]) Run(ctx context.Context, c *kafka.Cluster, o *Observer) error {
	for attempt := 0; ; attempt++ {
		m, err := newMember(ctx, c, o, spec{LinkStatus{Name: l.Name, Group: c.Name(l.Name), Input: l.Input}, l.Limits})
		if err != nil {
			return err
		}
		err = l.join(ctx, m)
		if !errors.Is(err, kafka.ErrFenced) || ctx.Err() != nil {
			return err
		}
		m.report.log.Warn("link leaves its group and joins again", "link", l.Name, "err", err)
		m.report.count(func(c *Counts) { c.Rejoins++ })
		if !pause(ctx, nil, attempt) {
			return nil
		}
	}
}

// join is one membership in the group.
func (l *FoldLink[S, In, Out]) join(ctx context.Context, m *member) error {
	output, err := identify(ctx, m.cluster, l.Output)
	if err != nil {
		return fmt.Errorf("start link %s: %w", l.Name, err)
	}
	if output.partitions != m.pin.partitions {
		return fmt.Errorf("start link %s: %w: %s has %d partitions and %s %d: a fold needs equal counts",
			l.Name, kafka.ErrWrongTopic, l.Input, m.pin.partitions, l.Output, output.partitions)
	}
	if _, err := EnsureRejects(ctx, m.cluster, l.Input); err != nil {
		return fmt.Errorf("start link %s: %w", l.Name, err)
	}
	f, err := newFeed(m)
	if err != nil {
		return fmt.Errorf("start link %s: %w", l.Name, err)
	}
	defer f.reader.Close()
	m.config.MembershipOnly = true
	m.work = func(p *partition) { l.work(m, f, p) }
	return m.run(ctx, f.run)
}

// work keeps one partition folding: after a failure its producer is opened anew and its memory read back.
func (l *FoldLink[S, In, Out]) work(m *member, f *feed, p *partition) {
	for attempt := 0; !p.leaving(); attempt++ {
		w := &foldWork[S, In, Out]{link: l, m: m, feed: f, p: p}
		err := w.session()
		if w.transactions > 0 {
			attempt = 0
		}
		switch {
		case err == nil, p.leaving():
			return
		case errors.Is(err, kafka.ErrFenced):
			p.report.state(p.number, StateWaiting, err)
			m.fail(err)
			return
		case errors.Is(err, ErrOtherTopic), errors.Is(err, ErrRebuild), errors.Is(err, ErrPosition):
			p.report.state(p.number, StateStopped, err)
			m.refuse(err)
			return
		case errors.Is(err, ErrLostRange):
			p.report.state(p.number, StateStopped, err)
			select {
			case <-p.draining:
			case <-p.ctx.Done():
			}
			return
		}
		p.report.retry(p.number, err)
		pause(p.ctx, p.draining, attempt)
	}
}
