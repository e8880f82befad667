package flow

import (
	"context"
	"log/slog"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// reporter tells the log and the observer how one link is doing. The log gets changes of state only.
type reporter struct {
	link string
	log  *slog.Logger
	o    *Observer
	hot  *hotCounts
}

// newReporter makes up an observer where there is none.
func newReporter(status LinkStatus, log *slog.Logger, o *Observer) *reporter {
	if o == nil {
		o = NewObserver()
	}
	r := &reporter{link: status.Name, log: log, o: o}
	o.update(status.Name, func(s *linkState) {
		s.status.Group, s.status.Input, s.status.Budget = status.Group, status.Input, status.Budget
		r.hot = s.hot
	})
	return r
}

func (r *reporter) count(add func(*Counts)) {
	r.o.update(r.link, func(s *linkState) { add(&s.status.Counts) })
}

func (r *reporter) polled(records int, bytes int64) {
	r.hot.records.Add(int64(records))
	r.hot.bytes.Add(bytes)
	r.o.poke()
}

func (r *reporter) done(records int) {
	r.hot.done.Add(int64(records))
	r.o.poke()
}

func (r *reporter) emitted(records int) {
	r.hot.emitted.Add(int64(records))
	r.o.poke()
}

func (r *reporter) used(b *budget) {
	used, peak := b.gauge()
	r.count(func(c *Counts) { c.BudgetUsed, c.PeakUsed = used, max(peak, c.PeakUsed) })
}

// rejected counts a record that is confirmed on the rejects topic.
func (r *reporter) rejected(rec *kafka.Record, why *schemas.Rejection) {
	r.count(func(c *Counts) { c.Rejects++ })
	r.log.Debug("record rejected", "link", r.link, "partition", rec.Partition, "offset", rec.Offset, "code", why.Code, "reason", why.Message)
}

// retry says that something failed and will be tried again.
func (r *reporter) retry(partition int32, err error) {
	r.count(func(c *Counts) { c.Retries++ })
	r.state(partition, StateWaiting, err)
}

// state says how a partition is doing; the log hears of it when that differs from what it was.
func (r *reporter) state(partition int32, state string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if !r.change(partition, state, text) {
		return
	}
	level := slog.LevelDebug
	switch state {
	case StateWaiting:
		level = slog.LevelWarn
	case StateStopped:
		level = slog.LevelError
	}
	args := []any{"link", r.link, "partition", partition}
	if err != nil {
		args = append(args, "err", err)
	}
	r.log.Log(context.Background(), level, "partition "+state, args...)
}

func (r *reporter) change(partition int32, state, text string) (changed bool) {
	changed = true
	r.o.update(r.link, func(s *linkState) {
		p := s.partition(partition)
		changed = p.State != state || p.Error != text
		if p.State != state {
			p.Since = time.Now()
		}
		p.State, p.Error = state, text
	})
	return changed
}

func (r *reporter) next(partition int32, offset int64) {
	r.o.update(r.link, func(s *linkState) { s.partition(partition).Next = offset })
}

func (s *linkState) partition(number int32) *PartitionStatus {
	p, ok := s.partitions[number]
	if !ok {
		p = &PartitionStatus{Partition: number, Next: -1}
		s.partitions[number] = p
	}
	return p
}
