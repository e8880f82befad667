package pipeline

import (
	"context"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
)

// defaultRecheck is how often a running transform asks for the latest versions of its subjects.
const defaultRecheck = 30 * time.Second

// livePlan is the plan that records are mapped by; another may take its place between two records.
type livePlan struct {
	now    atomic.Pointer[TransformPlan]
	stop   []func() // end the following of lookups
	record *transformRecord
}

func newLivePlan(ctx context.Context, plan *TransformPlan) *livePlan {
	l := &livePlan{}
	l.take(ctx, plan)
	return l
}

func (l *livePlan) take(ctx context.Context, plan *TransformPlan) {
	l.stop = append(l.stop, plan.follow(ctx))
	l.now.Store(plan)
}

func (l *livePlan) close() {
	for _, stop := range l.stop {
		stop()
	}
}

// recheck checks the mapping again whenever the latest version of a subject that is not pinned changes, until ctx ends. A plan that fits takes the
// place of the old one; otherwise the old one goes on and Rechecked is told why.
func (t *Transform) recheck(ctx context.Context, live *livePlan) {
	every := t.Recheck
	if every == 0 {
		every = defaultRecheck
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	tried := [2]int{live.now.Load().In.ID, live.now.Load().Out.ID}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		latest := [2]int{t.latest(ctx, t.FromPin, tried[0]), t.latest(ctx, t.ToPin, tried[1])}
		if latest == tried {
			continue
		}
		tried = latest
		plan, err := t.Check(ctx)
		if err == nil {
			err = plan.load(ctx, t.Cluster)
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			live.take(ctx, plan)
		}
		live.record.checked(plan, err)
		t.rechecked(plan, err)
	}
}

// latest gives the id of a pin's latest version; known where the pin is fixed, or the registry cannot say.
func (t *Transform) latest(ctx context.Context, pin Pin, known int) int {
	if pin.ID != 0 || pin.Version > 0 {
		return known
	}
	schema, err := t.Registry.Version(ctx, pin.Subject, Latest)
	if err != nil {
		return known
	}
	return schema.ID
}

func (t *Transform) rechecked(plan *TransformPlan, err error) {
	log := t.Cluster.Logger().With("from", t.FromPin.Subject, "to", t.ToPin.Subject)
	if err != nil {
		log.Warn("mapping does not fit the latest versions: the old plan goes on", "error", err)
	} else {
		log.Info("mapping was checked against the latest versions", "in", plan.In.Version, "out", plan.Out.Version)
	}
	if t.Rechecked != nil {
		t.Rechecked(err)
	}
}

// stage maps one record by the plan as it is now.
func (l *livePlan) stage(to string) func(*kafka.Record, func(*kafka.Record)) error {
	return func(in *kafka.Record, emit func(*kafka.Record)) error { return l.now.Load().stage(in, to, emit) }
}
