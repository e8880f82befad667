package seal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"stripeline/schemas"
)

// receipt counts the ack's receipts for the stripes whose length and CRC agree with the record's.
func (d *draft) receipt(ack *schemas.Ack) {
	if d.State == "" {
		if !founds(ack) {
			return
		}
		d.found(ack, schemas.BlockOpen)
	}
	if d.State == schemas.BlockDeleted {
		d.nameAll(ack, schemas.ShardDrop)
		return
	}
	if ack.Generation != d.Generation {
		return
	}
	agreed := d.learn(ack)
	d.Shards = slices.Clone(d.Shards)
	for i := range ack.Receipts {
		d.count(&ack.Receipts[i], agreed)
	}
	d.giveUp(ack.Missing...)
	d.settle()
}

// founds says whether a receipt ack makes the record of a block never heard of: repair does not.
func founds(ack *schemas.Ack) bool {
	if len(ack.Receipts) == 0 {
		return len(ack.Missing) > 0
	}
	return slices.ContainsFunc(ack.Receipts, func(r schemas.Receipt) bool { return !r.Repaired })
}

func (d *draft) found(ack *schemas.Ack, state schemas.BlockState) {
	d.Block = schemas.Block{ID: ack.Block, Generation: ack.Generation, Policy: strings.Clone(ack.Policy), State: state,
		Offset: -1, FileLength: -1}
}

// learn enters length and CRC of the stripes that the ack has receipts for and the record does not know, and gives the
// stripes of which both say the same. A closed block learns nothing.
func (d *draft) learn(ack *schemas.Ack) []schemas.Range {
	lengths, crcs := expand(d.Runs), d.CRCs
	if !d.Closed() {
		if more, sums := describe(lengths, crcs, ack); len(sums) > 0 {
			lengths, crcs = more, sums
			d.Runs, d.CRCs = compress(lengths), crcs
		}
	}
	var agreed []schemas.Range
	for i, length := range ack.Lengths {
		stripe := int(ack.First) + i
		if stripe >= len(lengths) || lengths[stripe] != length || !bytes.Equal(crcs[4*stripe:4*stripe+4], ack.CRCs[4*i:4*i+4]) {
			continue
		}
		if last := len(agreed) - 1; last >= 0 && agreed[last].Last == int32(stripe)-1 {
			agreed[last].Last++
		} else {
			agreed = append(agreed, schemas.Range{First: int32(stripe), Last: int32(stripe)})
		}
	}
	if d.Offset < 0 && len(agreed) > 0 && agreed[0].First == 0 {
		d.Offset = ack.Offset
	}
	return agreed
}

// describe gives lengths and CRCs with what the ack adds, or no CRCs when it adds nothing.
func describe(lengths []int32, crcs []byte, ack *schemas.Ack) ([]int32, []byte) {
	var fresh []schemas.Range
	for i := range ack.Receipts {
		if r := &ack.Receipts[i]; !r.Repaired {
			fresh = union(fresh, schemas.Range{First: r.First, Last: r.Last})
		}
	}
	var grown []byte
	for _, r := range fresh {
		for stripe := r.First; stripe <= r.Last; stripe++ {
			if int(stripe) < len(lengths) && lengths[stripe] != 0 {
				continue
			}
			if grown == nil {
				size := max(len(lengths), int(fresh[len(fresh)-1].Last)+1)
				grown = append(make([]byte, 0, 4*size), crcs...)[:4*size]
				lengths = append(lengths, make([]int32, size-len(lengths))...)
			}
			lengths[stripe] = ack.Lengths[stripe-ack.First]
			binary.BigEndian.PutUint32(grown[4*stripe:], schemas.CRCAt(ack.CRCs, int(stripe-ack.First)))
		}
	}
	return lengths, grown
}

// count enters a receipt into its shard. A shard without a stripe that agrees with the record is named all the same, so
// that it is dropped one day.
func (d *draft) count(r *schemas.Receipt, agreed []schemas.Range) {
	at := d.shard(r, schemas.ShardKeep)
	if s := &d.Shards[at]; s.State == schemas.ShardKeep {
		for _, held := range intersect(agreed, schemas.Range{First: r.First, Last: r.Last}) {
			s.Ranges = union(s.Ranges, held)
		}
	}
}

// nameAll names the shards of the ack that the record lacks, in the given state.
func (d *draft) nameAll(ack *schemas.Ack, state schemas.ShardState) {
	d.Shards = slices.Clone(d.Shards)
	for i := range ack.Receipts {
		d.shard(&ack.Receipts[i], state)
	}
}

// find gives the place of a receipt's shard, and whether it is there.
func (d *draft) find(r *schemas.Receipt) (int, bool) {
	return slices.BinarySearchFunc(d.Shards, r, func(s schemas.Shard, r *schemas.Receipt) int {
		return cmp.Or(cmp.Compare(s.Index, r.Index), bytes.Compare(s.Incarnation[:], r.Incarnation[:]))
	})
}

// shard gives the place of a receipt's shard, which it enters in the given state when the record lacks it.
func (d *draft) shard(r *schemas.Receipt, state schemas.ShardState) int {
	at, ok := d.find(r)
	if !ok {
		d.Shards = slices.Insert(d.Shards, at, schemas.Shard{Index: r.Index, Target: r.Target,
			Domain: strings.Clone(r.Domain), Incarnation: r.Incarnation, State: state})
	}
	return at
}

// giveUp enters indexes among those given up.
func (d *draft) giveUp(indexes ...int32) {
	for _, index := range indexes {
		if at, ok := slices.BinarySearch(d.Missing, index); !ok {
			d.Missing = slices.Insert(slices.Clone(d.Missing), at, index)
		}
	}
}
