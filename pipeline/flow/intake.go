package flow

import (
	"context"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
)

// poll is the intake of an at-least-once link: it fetches from the group while the budget has room.
func (m *member) poll(ctx context.Context) {
	m.budget.pause = func(p int32) { m.group.Pause(p) }
	m.budget.resume = func(p int32) { m.group.Resume(p) }
	for m.budget.room(ctx) {
		m.pollOnce(ctx)
	}
}

// listen polls a group that fetches nothing, for the sake of its errors.
func (m *member) listen(ctx context.Context) {
	for ctx.Err() == nil {
		m.pollOnce(ctx)
	}
}

func (m *member) pollOnce(ctx context.Context) {
	batches, err := m.group.Poll(ctx)
	m.deliver(batches)
	m.group.Allow()
	if err != nil && ctx.Err() == nil {
		m.report.log.Warn("group in trouble", "link", m.link.Name, "err", err)
		pause(ctx, nil, 4)
	}
}

// deliver hands fetched records to their partitions.
func (m *member) deliver(batches []kafka.Batch) {
	for _, b := range batches {
		m.mu.Lock()
		p := m.owned[b.Partition]
		m.mu.Unlock()
		if p == nil {
			continue
		}
		p.deliver(b.Records)
		if b.Err != nil && !p.stopped.Swap(true) {
			m.group.Pause(p.number)
			m.wait.Go(func() { m.stop(p, b.Err) })
		}
	}
}

// stop says why a partition brings no more records. What it was delivered is still finished and committed.
func (m *member) stop(p *partition, cause error) {
	ctx, cancel := context.WithTimeout(p.ctx, commitTimeout)
	defer cancel()
	if err := m.pin.verify(ctx, m.cluster, m.link.Group, m.link.Input); errors.Is(err, ErrOtherTopic) || errors.Is(err, kafka.ErrUnknownTopic) {
		m.refuse(err)
		return
	}
	if errors.Is(cause, kafka.ErrOutOfRange) {
		cause = fmt.Errorf("%w: %w", m.lostRange(ctx, p), cause)
	}
	m.report.state(p.number, StateStopped, cause)
}

// ErrLostRange says that records which were never consumed are not in the log any more.
var ErrLostRange = errors.New("records are lost")

// lostRange names the offsets between where the partition was and where the log is now.
func (m *member) lostRange(ctx context.Context, p *partition) error {
	at := p.next.Load()
	if at < 0 {
		commits, err := m.cluster.Committed(ctx, m.link.Group, m.link.Input)
		if err != nil {
			return ErrLostRange
		}
		at = commits[p.number].Offset
	}
	starts, ends, err := m.cluster.Ends(ctx, m.link.Input)
	if err != nil || int(p.number) >= len(starts) {
		return fmt.Errorf("%w: from offset %d on", ErrLostRange, at)
	}
	return lostBetween(at, starts[p.number], ends[p.number])
}

// lostBetween names what lies between a position and a log that does not contain it; nil if it does.
func lostBetween(at, start, end int64) error {
	switch {
	case at < start:
		return fmt.Errorf("%w: offsets %d to %d, the log starts at %d: to go on without them, reset the group's offset by hand", ErrLostRange, at, start-1, start)
	case at > end:
		return fmt.Errorf("%w: offsets %d to %d, the log ends at %d: to go on, reset the group's offset by hand", ErrLostRange, end, at-1, end)
	}
	return nil
}
