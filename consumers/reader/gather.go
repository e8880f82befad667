package reader

import (
	"context"
	"fmt"
	"time"
)

// stripe is one stripe of a gather.
type stripe struct {
	number int32
	length int      // data bytes
	cells  [][]byte // by index; nil when not there, or empty by the stripe's layout
	have   int      // cells that are there, empty data cells included
	faults []fault
}

// fault says why a shard did not help with a stripe.
type fault struct {
	shard  *shard
	stripe int32
	reason error
}

// phase is how far the read of one stripe from one shard has come.
type phase uint8

const (
	phaseNone  phase = iota
	phaseAsked       // under way
	phaseLate        // under way for longer than the hedge: something else may be read as well
	phaseDone
)

// request is a read under way.
type request struct {
	shard      int       // in gather.shards
	first, end int       // in gather.stripes
	expires    time.Time // when it becomes late, and then, when it counts as failed
	late       bool
	reply      reply
}

// gather collects enough cells of some consecutive stripes: any k, all data cells where it can. One goroutine runs it;
// each read has a goroutine of its own, whose reply nobody waits for once the gather has what it needs.
type gather struct {
	block   *block
	stripes []stripe
	shards  []*shard
	phases  [][]phase // by shard and stripe
	open    map[*request]struct{}
	replies chan *request
	buffers [][]byte
	all     bool // every cell that there is, not only k of each stripe
}

func newGather(b *block, first, end int32) *gather {
	g := &gather{block: b, stripes: make([]stripe, end-first), shards: b.current(), open: make(map[*request]struct{})}
	for i := range g.stripes {
		s := &g.stripes[i]
		s.number = first + int32(i)
		s.length = b.stripeLength(s.number)
		s.cells = make([][]byte, b.policy.N())
		for index := range b.policy.K {
			if b.policy.CellLength(index, s.length) == 0 {
				s.have++
			}
		}
	}
	g.phases = make([][]phase, len(g.shards))
	for n := range g.phases {
		g.phases[n] = make([]phase, len(g.stripes))
	}
	g.replies = make(chan *request, len(g.shards)*len(g.stripes))
	return g
}

// run reads until every stripe has enough cells or nothing is left to try for it. The error is the context's.
func (g *gather) run(ctx context.Context) error {
	for {
		g.launch()
		if !g.waiting() {
			return nil
		}
		if err := g.wait(ctx); err != nil {
			return err
		}
	}
}

// wait takes one reply, or finds that reads are late.
func (g *gather) wait(ctx context.Context) error {
	var expired <-chan time.Time
	if next, ok := g.nextExpiry(); ok {
		timer := time.NewTimer(time.Until(next))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case r := <-g.replies:
		g.take(r)
	case <-expired:
		g.expire(time.Now())
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// waiting says whether a reply can still help.
func (g *gather) waiting() bool {
	for r := range g.open {
		for i := r.first; i < r.end; i++ {
			if !g.enough(&g.stripes[i]) || g.all && !r.late {
				return true
			}
		}
	}
	return false
}

// enough says whether a stripe can be had from its cells.
func (g *gather) enough(s *stripe) bool { return s.have >= g.block.policy.K }

func (g *gather) nextExpiry() (next time.Time, found bool) {
	for r := range g.open {
		if !found || r.expires.Before(next) {
			next, found = r.expires, true
		}
	}
	return next, found
}

// expire makes reads late that take longer than the hedge, so that the next launch reads something else, and gives up
// those that take longer than the deadline.
func (g *gather) expire(now time.Time) {
	for r := range g.open {
		if now.Before(r.expires) {
			continue
		}
		sh := g.shards[r.shard]
		if r.late {
			g.giveUp(r)
			continue
		}
		sh.avoid.Store(true)
		r.late, r.expires = true, r.expires.Add(g.block.deadline()-g.block.hedge())
		g.mark(r, phaseLate)
	}
}

func (g *gather) giveUp(r *request) {
	delete(g.open, r)
	g.mark(r, phaseDone)
	for i := r.first; i < r.end; i++ {
		s := &g.stripes[i]
		s.faults = append(s.faults, fault{g.shards[r.shard], s.number, fmt.Errorf("%w after %v", ErrHung, g.block.deadline())})
	}
}

// take files what a read gave.
func (g *gather) take(r *request) {
	if _, ok := g.open[r]; !ok {
		return
	}
	delete(g.open, r)
	g.mark(r, phaseDone)
	sh, good := g.shards[r.shard], 0
	if r.reply.buffer != nil {
		g.buffers = append(g.buffers, r.reply.buffer)
	}
	for i := r.first; i < r.end; i++ {
		s, index := &g.stripes[i], sh.meta.Index
		cell, err := r.reply.cells[i-r.first], r.reply.errs[i-r.first]
		switch {
		case err != nil:
			s.faults = append(s.faults, fault{sh, s.number, err})
			continue
		case cell != nil && s.cells[index] == nil:
			s.cells[index] = cell
			s.have++
		}
		good++
	}
	if good == 0 && r.end-r.first > 1 {
		sh.avoid.Store(true)
	}
}

func (g *gather) mark(r *request, p phase) {
	for i := r.first; i < r.end; i++ {
		g.phases[r.shard][i] = p
	}
}
