package blockstore

import (
	"encoding/binary"
	"slices"

	"stripeline/schemas"
)

// fresh is a stripe with the receipts that are new: per index the shard that holds its frame, nil = nothing new.
type fresh struct {
	pending *pending
	shards  []*shard
}

// follows says whether f is the next stripe by the same writer.
func (f *fresh) follows(before *fresh) bool {
	p, q := &before.pending.stripe.Packet, &f.pending.stripe.Packet
	return q.Stripe == p.Stripe+1 && q.Generation == p.Generation
}

// receipts makes the acks of what has become durable of a block's packets, and marks it as receipted: one ack for
// each run of consecutive stripes.
func (b *block) receipts(mine []*pending) []schemas.Ack {
	var all []fresh
	for _, p := range mine {
		if p.data() {
			if f, some := b.fresh(p); some {
				all = append(all, f)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y fresh) int {
		return int(x.pending.stripe.Packet.Stripe - y.pending.stripe.Packet.Stripe)
	})
	var acks []schemas.Ack
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].follows(&all[n-1]) {
			n++
		}
		acks = append(acks, b.receipt(all[:n]))
		all = all[n:]
	}
	return acks
}

// fresh finds the durable frames of a packet that have not been receipted to it, and says whether there are any.
func (b *block) fresh(p *pending) (fresh, bool) {
	f := fresh{p, make([]*shard, len(p.got))}
	some := false
	for index := range p.got {
		if p.got[index] || len(p.stripe.Cells[index]) == 0 {
			continue
		}
		for _, s := range b.shards[index] {
			if e, ok := s.find(p.stripe.Packet.Stripe); ok && e.operation <= s.durable && s.matches(e, &p.stripe.Packet) {
				f.shards[index], p.got[index], some = s, true, true
				break
			}
		}
	}
	return f, some
}

// receipt makes the ack of a run of consecutive stripes.
func (b *block) receipt(run []fresh) schemas.Ack {
	first := &run[0].pending.stripe.Packet
	ack := schemas.Ack{Kind: schemas.AckReceipt, Block: b.id, Generation: first.Generation, Policy: first.Policy,
		Offset: first.Offset, First: first.Stripe, Stripes: -1, FileLength: -1}
	given := make([]bool, len(run[0].shards))
	for _, f := range run {
		packet := &f.pending.stripe.Packet
		ack.Lengths = append(ack.Lengths, int32(len(packet.Payload)))
		ack.CRCs = binary.BigEndian.AppendUint32(ack.CRCs, packet.CRC)
		for _, index := range f.pending.missing() {
			given[index] = true
		}
	}
	for index := range given {
		ack.Receipts = append(ack.Receipts, ranges(run, index)...)
		if given[index] {
			ack.Missing = append(ack.Missing, int32(index))
		}
	}
	return ack
}

// ranges makes the receipts of one index: a range goes on over stripes whose cell is empty.
func ranges(run []fresh, index int) []schemas.Receipt {
	var receipts []schemas.Receipt
	var current *shard
	for _, f := range run {
		s, stripe := f.shards[index], f.pending.stripe.Packet.Stripe
		if len(f.pending.stripe.Cells[index]) == 0 {
			continue
		}
		if s != nil && s == current {
			receipts[len(receipts)-1].Last = stripe
		} else if s != nil {
			receipts = append(receipts, schemas.Receipt{Index: int32(index), Target: s.target.id, Domain: s.target.domain,
				Incarnation: s.header.Incarnation, First: stripe, Last: stripe})
		}
		current = s
	}
	return receipts
}

// closing makes the CLOSE ack of an END or FENCE packet.
func (b *block) closing(p *schemas.Packet) schemas.Ack {
	if b.shards != nil {
		b.count = b.stripes()
	}
	return schemas.Ack{Kind: schemas.AckClose, Block: b.id, Generation: p.Generation, Policy: p.Policy, Offset: p.Offset,
		First: -1, Stripes: b.count, Last: p.Last, FileLength: p.FileLength}
}
