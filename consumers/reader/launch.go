package reader

import "time"

// launch starts the reads that stripes are short of: shards in order of preference, those to be avoided last.
// What one shard is asked for consecutive stripes is one read.
func (g *gather) launch() {
	chosen := make([][]bool, len(g.shards))
	for n := range chosen {
		chosen[n] = make([]bool, len(g.stripes))
	}
	for i := range g.stripes {
		g.choose(i, chosen)
	}
	for n := range g.shards {
		g.ask(n, chosen[n])
	}
}

// choose picks the shards to read stripe i from.
func (g *gather) choose(i int, chosen [][]bool) {
	s := &g.stripes[i]
	if g.enough(s) && !g.all {
		return
	}
	coming := g.coming(i)
	need := g.block.policy.K - s.have
	for _, on := range coming {
		if on {
			need--
		}
	}
	for _, avoided := range []bool{false, true} {
		for n, sh := range g.shards {
			if need <= 0 && !g.all {
				return
			}
			if sh.avoid.Load() != avoided || coming[sh.meta.Index] || !g.mayHelp(n, i) {
				continue
			}
			chosen[n][i], coming[sh.meta.Index] = true, true
			need--
		}
	}
}

// coming says by index which cells of a stripe are being read and not late.
func (g *gather) coming(i int) []bool {
	coming := make([]bool, g.block.policy.N())
	for n, sh := range g.shards {
		if g.phases[n][i] == phaseAsked && g.stripes[i].cells[sh.meta.Index] == nil {
			coming[sh.meta.Index] = true
		}
	}
	return coming
}

// mayHelp says whether shard n may have a cell that stripe i lacks. A shard that cannot be opened becomes a fault.
func (g *gather) mayHelp(n, i int) bool {
	sh, s := g.shards[n], &g.stripes[i]
	index := int(sh.meta.Index)
	if g.phases[n][i] != phaseNone || s.cells[index] != nil || !sh.meta.Holds(s.number) || g.block.cell(s.number, index) == 0 {
		return false
	}
	if sh.broken.Load() {
		g.phases[n][i] = phaseDone
		s.faults = append(s.faults, fault{sh, s.number, sh.err})
		return false
	}
	return true
}

// ask starts the reads of shard n.
func (g *gather) ask(n int, chosen []bool) {
	for i := 0; i < len(chosen); i++ {
		if !chosen[i] {
			continue
		}
		r := &request{shard: n, first: i, expires: time.Now().Add(g.block.hedge())}
		for i < len(chosen) && chosen[i] {
			i++
		}
		r.end = i
		g.mark(r, phaseAsked)
		g.open[r] = struct{}{}
		sh, first, end := g.shards[n], g.stripes[r.first].number, g.stripes[r.end-1].number+1
		go func() {
			r.reply = sh.read(first, end)
			g.replies <- r
		}()
	}
}
