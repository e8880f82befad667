package seal

import (
	"slices"

	"stripeline/schemas"
)

// settle brings everything that follows from receipts up to date: the prefixes, length and CRC of an open block, the
// state of a closed one, and the shards that are to be dropped.
func (d *draft) settle() {
	had := d.Stored
	d.Stored, d.Full = d.prefixes()
	if !d.Closed() {
		d.measure(had)
		return
	}
	d.State = schemas.BlockDegraded
	if d.Full == d.Stripes() {
		d.State = schemas.BlockSealed
		d.drop()
	}
}

// prefixes gives how many stripes from 0 on count at least q cells, and how many count all n.
func (d *draft) prefixes() (stored, full int32) {
	q := d.policy.N()
	if len(d.Missing) > 0 {
		q = d.policy.Quorum()
	}
	return newTally(&d.Block, d.policy).prefixes(q)
}

// measure makes length and CRC those of the stripes below Stored, given how many they covered before.
func (d *draft) measure(had int32) {
	if d.Stored < had {
		d.Length, d.CRC, had = 0, 0, 0
	}
	stripe := int32(0)
	for _, run := range d.Runs {
		end := min(stripe+run.Count, d.Stored)
		for stripe = max(stripe, min(had, stripe+run.Count)); stripe < end; stripe++ {
			d.CRC = schemas.CombineCRC(d.CRC, d.StripeCRC(stripe), int64(run.Length))
			d.Length += int64(run.Length)
		}
	}
}

// drop marks the shards without which every stripe still counts n cells, those with the fewest stripes first; of equal
// ones the highest index and incarnation first.
func (d *draft) drop() {
	var spare []int
	for i := range d.Shards {
		if s := &d.Shards[i]; s.State == schemas.ShardKeep && (len(s.Ranges) == 0 || d.doubled(i)) {
			spare = append(spare, i)
		}
	}
	slices.Reverse(spare)
	slices.SortStableFunc(spare, func(a, b int) int { return covered(d.Shards[a].Ranges) - covered(d.Shards[b].Ranges) })
	for _, i := range spare {
		kept := d.Shards[i]
		d.Shards[i].State, d.Shards[i].Ranges = schemas.ShardDrop, nil
		if _, full := d.prefixes(); full < d.Stripes() {
			d.Shards[i] = kept
		}
	}
}

// doubled says whether another kept shard has the index of the i-th.
func (d *draft) doubled(i int) bool {
	for _, j := range []int{i - 1, i + 1} {
		if j >= 0 && j < len(d.Shards) && d.Shards[j].Index == d.Shards[i].Index {
			return true
		}
	}
	return false
}
