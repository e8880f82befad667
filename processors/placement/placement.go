// Package placement is in the processors room: it says on which target each cell of a block belongs. It is a pure
// function of block, number of cells and membership, by rendezvous hashing:
//
//	writable   targets whose state is UP
//	rack limit ceil(n / number of racks that have a writable target) cells
//	choice     the writable targets in descending order of hash(block, target), leaving out those whose domain is
//	           taken or whose rack is full, until there are n
//	indexes    pairs of index and chosen target in descending order of hash(block, target, index), leaving out those
//	           whose index or target is taken
//
// A target that joins or leaves changes one target of a block at most, as long as the rack limit stays, and few indexes.
package placement

import (
	"cmp"
	"encoding/binary"
	"slices"

	"stripeline/schemas"
)

// Stage gives the stage that fills in a stripe's targets by the membership of the moment. The membership is only read.
func Stage(membership func() []schemas.Target) func(schemas.Stripe, func(schemas.Stripe)) error {
	return func(s schemas.Stripe, emit func(schemas.Stripe)) error {
		if s.Packet.Kind == schemas.PacketData {
			s.Targets = Place(s.Packet.Block, s.Policy.N(), membership())
		}
		emit(s)
		return nil
	}
}

// candidate is a writable target with its weight for the block.
type candidate struct {
	target schemas.Target
	weight uint64
}

// Place gives the target of each of a block's n indexes: no two in one domain (a target without a domain is one of its
// own), at most ceil(n / writable racks) in one rack. An index for which there is no target has the zero id. The order
// of the membership does not matter.
func Place(block schemas.BlockID, n int, membership []schemas.Target) []schemas.TargetID {
	chosen := choose(block, n, membership)
	targets := make([]schemas.TargetID, n)
	taken := make([]bool, len(chosen))
	left := len(chosen)
	for _, p := range pairs(chosen, n) {
		if left > 0 && !taken[p.chosen] && targets[p.index] == (schemas.TargetID{}) {
			targets[p.index], taken[p.chosen] = chosen[p.chosen].target.ID, true
			left--
		}
	}
	return targets
}

// choose gives at most n targets of distinct domains within the rack limit.
func choose(block schemas.BlockID, n int, membership []schemas.Target) []candidate {
	racks := make(map[string]int)
	candidates := make([]candidate, 0, len(membership))
	for _, t := range membership {
		if t.State == schemas.TargetUp {
			racks[t.Rack] = 0
			candidates = append(candidates, candidate{t, weigh(block, t.ID)})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), slices.Compare(a.target.ID[:], b.target.ID[:]))
	})
	limit := (n + len(racks) - 1) / max(1, len(racks))
	domains := make(map[string]bool, n)
	chosen := candidates[:0]
	for _, c := range candidates {
		if domain := Domain(&c.target); len(chosen) < n && racks[c.target.Rack] < limit && !domains[domain] {
			domains[domain] = true
			racks[c.target.Rack]++
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// Domain gives the failure domain of a target: its own id when it names none.
func Domain(t *schemas.Target) string {
	if t.Domain == "" {
		return t.ID.String()
	}
	return t.Domain
}

type pair struct {
	index, chosen int
	weight        uint64
}

func pairs(chosen []candidate, n int) []pair {
	all := make([]pair, 0, n*len(chosen))
	for c := range chosen {
		for index := range n {
			all = append(all, pair{index, c, mix(chosen[c].weight + uint64(index))})
		}
	}
	slices.SortFunc(all, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.index, b.index), cmp.Compare(a.chosen, b.chosen))
	})
	return all
}

// weigh gives the rendezvous weight of a target for a block.
func weigh(block schemas.BlockID, target schemas.TargetID) uint64 {
	be := binary.BigEndian
	h := mix(be.Uint64(block[:]))
	h = mix(h ^ be.Uint64(block[8:]))
	h = mix(h ^ be.Uint64(target[:]))
	return mix(h ^ be.Uint64(target[8:]))
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood 2014) behind one step of its counter.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
