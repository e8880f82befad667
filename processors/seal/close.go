package seal

import (
	"slices"

	"stripeline/schemas"
)

// close ends the block behind the stripes that are stored by now; the ack's count is only a bound. The first close
// stands. Whether the file ends here is believed only of a block that has all the stripes that were sent.
func (d *draft) close(ack *schemas.Ack) {
	if d.State != "" && (d.State != schemas.BlockOpen || ack.Generation < d.Generation) {
		return
	}
	if d.State == "" {
		d.found(ack, schemas.BlockOpen)
	}
	if ack.Generation == d.Generation {
		d.giveUp(ack.Missing...)
		d.settle()
	}
	end := d.Stored
	if ack.Stripes >= 0 {
		end = min(end, ack.Stripes)
	}
	d.truncate(end)
	if ack.Stripes == end || ack.Stripes < 0 {
		d.Last = ack.Last
		if ack.Last {
			d.FileLength = ack.FileLength
		}
		if end == 0 && ack.Stripes == 0 {
			d.Offset = ack.Offset
		}
	}
	d.State = schemas.BlockDegraded // closed; settle says how
	d.settle()
}

// truncate forgets the stripes from end on, which is at most Stored. Shards that held only such stay named.
func (d *draft) truncate(end int32) {
	lengths := expand(d.Runs)[:end]
	d.Runs, d.CRCs = compress(lengths), slices.Clip(d.CRCs[:4*end])
	d.Shards = slices.Clone(d.Shards)
	for i := range d.Shards {
		if s := &d.Shards[i]; len(s.Ranges) > 0 && s.Ranges[len(s.Ranges)-1].Last >= end {
			s.Ranges = intersect(s.Ranges, schemas.Range{First: 0, Last: end - 1})
		}
	}
	had := d.Stored
	d.Stored, d.Full = end, min(d.Full, end)
	d.measure(had)
}

// loss takes frames away that are gone or rotten; their indexes count as given up.
func (d *draft) loss(ack *schemas.Ack) {
	if d.State == "" || d.State == schemas.BlockDeleted || ack.Generation != d.Generation {
		return
	}
	d.Shards = slices.Clone(d.Shards)
	for i := range ack.Receipts {
		r := &ack.Receipts[i]
		if at, ok := d.find(r); ok {
			d.lose(at, schemas.Range{First: r.First, Last: r.Last})
		}
	}
	d.settle()
}

func (d *draft) lose(at int, r schemas.Range) {
	s := &d.Shards[at]
	if len(intersect(s.Ranges, r)) == 0 {
		return
	}
	s.Ranges = subtract(s.Ranges, r)
	d.giveUp(s.Index)
}

// removed marks shards whose file is no more. One that the record wanted kept is a loss.
func (d *draft) removed(ack *schemas.Ack) {
	if d.State == "" {
		return
	}
	d.Shards = slices.Clone(d.Shards)
	for i := range ack.Receipts {
		at := d.shard(&ack.Receipts[i], schemas.ShardRemoved)
		if d.Shards[at].State == schemas.ShardKeep {
			d.lose(at, schemas.Range{First: 0, Last: schemas.MaxStripes - 1})
		}
		d.Shards[at].State, d.Shards[at].Ranges = schemas.ShardRemoved, nil
	}
	if d.State != schemas.BlockDeleted {
		d.settle()
	}
}

// delete marks the block, and all its shards to be dropped. Length, CRCs and ranges stay, for readers who came before.
func (d *draft) delete(ack *schemas.Ack) {
	if d.State == "" {
		d.found(ack, schemas.BlockDeleted)
	}
	d.State = schemas.BlockDeleted
	d.Shards = slices.Clone(d.Shards)
	for i := range d.Shards {
		if s := &d.Shards[i]; s.State == schemas.ShardKeep {
			s.State = schemas.ShardDrop
		}
	}
}
