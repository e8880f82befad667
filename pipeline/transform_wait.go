package pipeline

import (
	"context"
	"fmt"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

const (
	standstillLook = time.Second     // how often brokers are asked for a sign of life, at most
	standstillAsk  = time.Second / 2 // how long they may take for it, at least
	troubleLooks   = 3               // for how many looks trouble counts: between two tries of the same record a partition looks well
)

// standstillLeave is how long a link may take to end that brokers do not answer.
const standstillLeave = 5 * time.Second

// bounded runs a link and ends it by stop when it has stood still for Timeout because brokers or registry are away: ErrGaveUp.
func (t *Transform) bounded(ctx context.Context, stop func(), link interface {
	Run(context.Context, *kafka.Cluster, *flow.Observer) error
}) error {
	if t.Timeout <= 0 {
		return link.Run(ctx, t.Cluster, t.Observer)
	}
	ended, still := make(chan error, 1), make(chan error, 1)
	watching, end := context.WithCancel(ctx)
	defer end()
	go func() { ended <- link.Run(ctx, t.Cluster, t.Observer) }()
	go func() { still <- t.awaitStandstill(watching) }()
	select {
	case err := <-ended:
		return err
	case why := <-still:
		if why == nil {
			return <-ended
		}
		stop()
		select {
		case <-ended:
		case <-time.After(standstillLeave): // it ends by itself when its last requests have timed out
		}
		return why
	}
}

// awaitStandstill returns nil when ctx ends.
func (t *Transform) awaitStandstill(ctx context.Context) error {
	link := "transform." + t.From + "." + t.To
	every := max(min(standstillLook, t.Timeout/(troubleLooks+1)), time.Millisecond)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var seen time.Time // of the trouble
	since, what, done := time.Now(), "", int64(-1)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		status := t.Observer.Link(link)
		if trouble := t.trouble(ctx, status); trouble != "" {
			seen, what = time.Now(), trouble
		}
		if status.Counts.Done != done || time.Since(seen) > troubleLooks*every {
			since, done = time.Now(), status.Counts.Done
		}
		if time.Since(since) >= t.Timeout && ctx.Err() == nil {
			return fmt.Errorf("%w for %s after %s: the same command goes on behind what was committed until then", ErrGaveUp, what, t.Timeout)
		}
	}
}

// trouble says what keeps the link from its work, "" for nothing.
func (t *Transform) trouble(ctx context.Context, status flow.LinkStatus) string {
	asking, cancel := context.WithTimeout(ctx, max(t.Timeout/2, standstillAsk))
	defer cancel()
	if t.Cluster.Ping(asking) != nil {
		return "the brokers"
	}
	for _, p := range status.Partitions {
		if p.State == flow.StateWaiting {
			return fmt.Sprintf("partition %d (%s)", p.Partition, p.Error)
		}
	}
	return ""
}
