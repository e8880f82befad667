package namespace

import (
	"slices"

	"stripeline/schemas"
)

// expand lists the block numbers of runs that are sorted.
func expand(runs []schemas.Numbers) []uint32 {
	var list []uint32
	for _, r := range runs {
		for n := r.First; n < r.First+int64(r.Count); n++ {
			list = append(list, uint32(n))
		}
	}
	return list
}

// named lists, sorted, the numbers of the blocks that the extents name.
func named(extents []schemas.Extent) []uint32 {
	var list []uint32
	for i := range extents {
		first := extents[i].Block.Number()
		for n := range uint32(extents[i].Blocks) {
			list = append(list, first+n)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// minus gives the numbers of one sorted list that another one lacks.
func minus(list, others []uint32) []uint32 {
	var rest []uint32
	for _, n := range list {
		if _, ok := slices.BinarySearch(others, n); !ok {
			rest = append(rest, n)
		}
	}
	return rest
}

// covers says whether the runs, sorted and not adjacent, hold all numbers from first to before end.
func covers(runs []schemas.Numbers, first, end int64) bool {
	return slices.ContainsFunc(runs, func(r schemas.Numbers) bool {
		return r.First <= first && end <= r.First+int64(r.Count)
	})
}
