package reader

import (
	"context"
	"fmt"
	"slices"

	"stripeline/schemas"
)

// mostCombinations bounds how many choices of k cells are tried for one stripe.
const mostCombinations = 1000

var errContradiction = fmt.Errorf("%w: the stripe's other cells contradict it", schemas.ErrBadFrame)

// doubt treats a stripe whose frames are all whole and whose data is still not what was written: one of them was made
// wrong. It reads every cell that there is, and looks for k that give the stripe's CRC. The cells that differ from
// what those give become faults. Without such k, the stripe's cells are nil afterwards.
func (g *gather) doubt(ctx context.Context, i int) error {
	old := &g.stripes[i]
	one := newGather(g.block, old.number, old.number+1)
	one.all = true
	err := one.run(ctx)
	g.buffers = append(g.buffers, one.buffers...)
	if err != nil {
		return err
	}
	s := &one.stripes[0]
	right := one.search(s)
	if right == nil {
		old.cells = nil
		return nil
	}
	for n, sh := range one.shards {
		index := sh.meta.Index
		if one.phases[n][0] == phaseDone && s.cells[index] != nil && right[index] != nil && !slices.Equal(s.cells[index], right[index]) {
			old.faults = append(old.faults, fault{sh, s.number, errContradiction})
		}
	}
	old.cells = right
	return nil
}

// search gives the stripe's cells as made from the first k cells that lead to its CRC, or nil.
func (g *gather) search(s *stripe) [][]byte {
	var there []int
	for index, cell := range s.cells {
		if cell != nil {
			there = append(there, index)
		}
	}
	leave := s.have - g.block.policy.K
	tries := 0
	var found [][]byte
	combinations(len(there), leave, func(left []int) bool {
		trial := stripe{number: s.number, length: s.length, cells: slices.Clone(s.cells)}
		for _, i := range left {
			trial.cells[there[i]] = nil
		}
		tries++
		if _, err := g.settle(&trial); err == nil {
			found = trial.cells
			g.remake(&trial, left, there)
		}
		return found == nil && tries < mostCombinations
	})
	return found
}

// remake makes the parity cells that were left out, so that they can be compared; they stay nil if that fails.
func (g *gather) remake(s *stripe, left, there []int) {
	var want []int
	for _, i := range left {
		if there[i] >= g.block.policy.K {
			want = append(want, there[i])
		}
	}
	if err := g.block.source.Reconstruct(g.block.policy, s.cells, s.length, want); err != nil {
		for _, index := range want {
			s.cells[index] = nil
		}
	}
}

// combinations calls f with every choice of count numbers below n, in order, until f says no.
func combinations(n, count int, f func([]int) bool) {
	choice := make([]int, max(0, count))
	var step func(at, from int) bool
	step = func(at, from int) bool {
		if at == count {
			return f(choice)
		}
		for i := from; i < n; i++ {
			choice[at] = i
			if !step(at+1, i+1) {
				return false
			}
		}
		return true
	}
	if count >= 0 {
		step(0, 0)
	}
}
