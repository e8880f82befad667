package flow

import (
	"context"
	"time"

	"stripeline/pipeline/kafka"
)

// commitLoop commits what has moved, until ctx ends.
func (m *member) commitLoop(ctx context.Context) {
	ticker := time.NewTicker(m.limits.Commit)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.committing.Lock()
			m.commit(m.all())
			m.committing.Unlock()
			m.report.used(m.budget)
		}
	}
}

// commit commits the marks of partitions that have moved. m.committing is held: a partition that is taken away meanwhile
// is either still ours here, or not among them.
func (m *member) commit(partitions []*partition) {
	if m.refused {
		return
	}
	commits := map[int32]kafka.Mark{}
	for _, p := range partitions {
		if mark, moved := p.window.marked(); moved {
			mark.Metadata = m.pin.String()
			commits[p.number] = mark
		}
	}
	if len(commits) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(m.root, commitTimeout)
	defer cancel()
	if err := m.group.Commit(ctx, commits); err != nil {
		m.report.log.Warn("offsets not committed", "link", m.link.Name, "err", err)
		for _, p := range partitions {
			if _, tried := commits[p.number]; tried {
				p.window.unmark()
			}
		}
		return
	}
	m.report.count(func(c *Counts) { c.Commits++ })
	for number, mark := range commits {
		m.report.next(number, mark.Offset)
	}
}

// tend looks after the input until ctx ends: that it is still the pinned topic, and that what all its readers have done
// with is removed from our partitions.
func (m *member) tend(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if now, err := identify(ctx, m.cluster, m.link.Input); err == nil && now != m.pin {
			m.refuse(m.pin.refuse(m.link.Input, now.String()))
			return
		}
		if len(m.limits.Readers) > 0 {
			m.truncate(ctx)
		}
	}
}

func (m *member) truncate(ctx context.Context) {
	cut, err := Truncate(ctx, m.cluster, Truncation{m.link.Input, m.limits.Readers, m.numbers()})
	if err != nil && ctx.Err() == nil {
		m.report.log.Warn("input not truncated", "link", m.link.Name, "err", err)
	}
	if len(cut) > 0 {
		m.report.count(func(c *Counts) { c.Truncations += int64(len(cut)) })
	}
}
