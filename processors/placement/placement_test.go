package placement

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/schemas"
)

func id(n int) schemas.TargetID {
	return schemas.TargetID{byte(n), byte(n >> 8), 0xaa}
}

func drawMembership(t *rapid.T) []schemas.Target {
	racks := rapid.IntRange(1, 5).Draw(t, "racks")
	members := make([]schemas.Target, rapid.IntRange(0, 30).Draw(t, "targets"))
	for i := range members {
		rack := rapid.IntRange(0, racks-1).Draw(t, "rack")
		members[i] = schemas.Target{ID: id(i), Rack: fmt.Sprint(rack), Domain: fmt.Sprintf("%d.%d", rack, rapid.IntRange(0, 9).Draw(t, "domain")),
			State: rapid.SampledFrom([]schemas.TargetState{schemas.TargetUp, schemas.TargetUp, schemas.TargetUp, schemas.TargetSick, schemas.TargetDown,
				schemas.TargetOut, schemas.TargetDraining}).Draw(t, "state")}
		if rapid.IntRange(0, 9).Draw(t, "own") == 0 {
			members[i].Domain = ""
		}
	}
	return members
}

func drawBlock(t *rapid.T) schemas.BlockID {
	return schemas.FileID{byte(rapid.IntRange(0, 255).Draw(t, "file"))}.Block(rapid.Uint32().Draw(t, "block"))
}

// possible gives the greatest number of cells that the rules allow.
func possible(n int, members []schemas.Target) int {
	domains := make(map[string]map[string]bool)
	for _, m := range members {
		if m.State == schemas.TargetUp {
			if domains[m.Rack] == nil {
				domains[m.Rack] = make(map[string]bool)
			}
			domains[m.Rack][Domain(&m)] = true
		}
	}
	limit, sum := 0, 0
	if len(domains) > 0 {
		limit = (n + len(domains) - 1) / len(domains)
	}
	for _, d := range domains {
		sum += min(limit, len(d))
	}
	return min(n, sum)
}

func TestPlacementKeepsTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, n, block := drawMembership(t), rapid.IntRange(1, 14).Draw(t, "n"), drawBlock(t)
		byID := make(map[schemas.TargetID]schemas.Target)
		racks := make(map[string]int)
		for _, m := range members {
			byID[m.ID] = m
			if m.State == schemas.TargetUp {
				racks[m.Rack] = 0
			}
		}
		placed := Place(block, n, members)
		domains := make(map[string]bool)
		count := 0
		for _, target := range placed {
			if target == (schemas.TargetID{}) {
				continue
			}
			m := byID[target]
			if m.State != schemas.TargetUp || domains[Domain(&m)] {
				t.Fatalf("%v is not writable, or its domain has a cell already", m)
			}
			domains[Domain(&m)] = true
			racks[m.Rack]++
			count++
		}
		for rack, cells := range racks {
			if cells > (n+len(racks)-1)/len(racks) {
				t.Fatalf("%d of %d cells in rack %s of %d racks", cells, n, rack, len(racks))
			}
		}
		if want := possible(n, members); count != want || len(placed) != n {
			t.Fatalf("%d cells have a target, %d could", count, want)
		}
	})
}

func TestOrderOfMembershipDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, block := drawMembership(t), drawBlock(t)
		if a, b := Place(block, 9, members), Place(block, 9, rapid.Permutation(members).Draw(t, "order")); !slices.Equal(a, b) {
			t.Fatalf("%v\n%v", a, b)
		}
	})
}

func flat(n int) []schemas.Target {
	members := make([]schemas.Target, n)
	for i := range members {
		members[i] = schemas.Target{ID: id(i), Rack: "r", State: schemas.TargetUp}
	}
	return members
}

// With one rack the targets of a block change by the one that left, and by no other.
func TestMovementIsMinimal(t *testing.T) {
	const n = 9
	moved, blocks := 0, 0
	for members := n; members <= 20; members++ {
		all := flat(members)
		for block := range 50 {
			b := schemas.FileID{byte(members)}.Block(uint32(block))
			before := Place(b, n, all)
			gone := block % members
			after := Place(b, n, slices.Delete(slices.Clone(all), gone, gone+1))
			lost := slices.Contains(before, id(gone))
			fresh := 0
			for i, target := range after {
				if target != (schemas.TargetID{}) && !slices.Contains(before, target) {
					fresh++
				}
				if target != before[i] {
					moved++
				}
			}
			if !lost && !slices.Equal(before, after) {
				t.Fatalf("%d targets: a target that had no cell left, and cells moved", members)
			}
			if lost && fresh > 1 {
				t.Fatalf("%d targets: one left, %d came", members, fresh)
			}
			if lost {
				blocks++
			}
		}
	}
	if moved > 3*blocks {
		t.Fatalf("%d indexes moved in %d blocks that lost one target", moved, blocks)
	}
}

func TestLoadIsEven(t *testing.T) {
	load := make(map[schemas.TargetID]int)
	first := make(map[schemas.TargetID]int)
	const blocks, members = 3000, 20
	for block := range blocks {
		placed := Place(schemas.FileID{1}.Block(uint32(block)), 9, flat(members))
		first[placed[0]]++
		for _, target := range placed {
			load[target]++
		}
	}
	for i := range members {
		if got, mean := load[id(i)], blocks*9/members; got < mean*8/10 || got > mean*12/10 {
			t.Errorf("target %d has %d cells, mean is %d", i, got, mean)
		}
		if got, mean := first[id(i)], blocks/members; got < mean*6/10 || got > mean*14/10 {
			t.Errorf("target %d has %d first cells, mean is %d", i, got, mean)
		}
	}
}

// The placement of a block must not change from one version to the next.
func TestPlacementIsGolden(t *testing.T) {
	var got []byte
	for _, target := range Place(schemas.FileID{1, 2, 3}.Block(4), 9, flat(12)) {
		got = append(got, target[0])
	}
	if want := []byte{11, 2, 1, 3, 6, 7, 10, 8, 5}; !slices.Equal(got, want) {
		t.Errorf("placed on %v, want %v", got, want)
	}
}

func TestLaws(t *testing.T) {
	members := flat(7)
	stage := Stage(func() []schemas.Target { return members })
	before := lawtest.Dump(members)
	lawtest.Stage(t, stage, func(t *rapid.T) schemas.Stripe {
		policy, _ := schemas.ParsePolicy(rapid.SampledFrom([]string{"RS-3-2-4k", schemas.DefaultPolicy}).Draw(t, "policy"))
		return schemas.Stripe{Policy: policy, Packet: schemas.Packet{Block: drawBlock(t),
			Kind: rapid.SampledFrom([]schemas.PacketKind{schemas.PacketData, schemas.PacketEnd}).Draw(t, "kind")}}
	})
	if lawtest.Dump(members) != before {
		t.Error("the membership was changed")
	}
}

func BenchmarkPlace(b *testing.B) {
	for _, members := range []int{9, 100} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			all := flat(members)
			b.ReportAllocs()
			for b.Loop() {
				Place(schemas.BlockID{}, 9, all)
			}
		})
	}
}
