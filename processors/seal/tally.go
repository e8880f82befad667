package seal

import "stripeline/schemas"

// tally counts the cells of stripes. It walks the block in steps within which every stripe has the same length and the
// same holders, so its cost does not grow with the number of stripes.
type tally struct {
	policy  schemas.Policy
	runs    []schemas.Run
	holders []holder
	present []holder // of the current step
	matching
}

// holder is a kept shard; ranges begins with the first range that does not lie before the current stripe.
type holder struct {
	index  int32
	domain int32 // number of the domain within this tally
	ranges []schemas.Range
}

func newTally(b *schemas.Block, policy schemas.Policy) *tally {
	t := &tally{policy: policy, runs: b.Runs, holders: make([]holder, 0, len(b.Shards))}
	domains := make(map[string]int32, len(b.Shards))
	for i := range b.Shards {
		s := &b.Shards[i]
		if s.State != schemas.ShardKeep || len(s.Ranges) == 0 {
			continue
		}
		domain, ok := domains[s.Domain]
		if !ok {
			domain = int32(len(domains))
			domains[s.Domain] = domain
		}
		t.holders = append(t.holders, holder{s.Index, domain, s.Ranges})
	}
	t.present = make([]holder, 0, len(t.holders))
	t.matching = newMatching(policy.N(), len(domains))
	return t
}

// prefixes gives how many stripes from 0 on count at least q cells, and how many count all n. A stripe of unknown
// length counts nothing.
func (t *tally) prefixes(q int) (stored, full int32) {
	stripe := int32(0)
	for _, run := range t.runs {
		for end := stripe + run.Count; stripe < end; {
			next := t.step(stripe, end)
			cells := 0
			if run.Length > 0 {
				cells = t.cells(run.Length)
			}
			if cells < q {
				return stripe, full
			}
			if cells == t.policy.N() && full == stripe {
				full = next
			}
			stripe = next
		}
	}
	return stripe, full
}

// step finds who holds the stripe, and gives the first stripe from there to end that others hold.
func (t *tally) step(stripe, end int32) int32 {
	t.present = t.present[:0]
	for i := range t.holders {
		h := &t.holders[i]
		for len(h.ranges) > 0 && h.ranges[0].Last < stripe {
			h.ranges = h.ranges[1:]
		}
		switch {
		case len(h.ranges) == 0:
		case h.ranges[0].First <= stripe:
			t.present = append(t.present, *h)
			end = min(end, h.ranges[0].Last+1)
		default:
			end = min(end, h.ranges[0].First)
		}
	}
	return end
}

// cells counts the cells of a stripe of that length which those present hold; empty cells count.
func (t *tally) cells(length int32) int {
	filled := (int(length) + t.policy.Cell - 1) / t.policy.Cell // data cells that are not empty
	t.matching.reset()
	for _, h := range t.present {
		if int(h.index) < filled || int(h.index) >= t.policy.K {
			t.matching.add(h.index, h.domain)
		}
	}
	return t.policy.K - filled + t.matching.size()
}
