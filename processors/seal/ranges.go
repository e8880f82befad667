package seal

import (
	"slices"

	"stripeline/schemas"
)

// A list of ranges is sorted, disjoint and not adjacent. The functions here never change one, they make new ones.

// union adds the stripes of r.
func union(list []schemas.Range, r schemas.Range) []schemas.Range {
	from, _ := slices.BinarySearchFunc(list, r.First-1, func(have schemas.Range, stripe int32) int { return int(have.Last) - int(stripe) })
	to := from
	for to < len(list) && list[to].First <= r.Last+1 {
		r = schemas.Range{First: min(r.First, list[to].First), Last: max(r.Last, list[to].Last)}
		to++
	}
	if to == from+1 && list[from] == r {
		return list
	}
	return slices.Concat(list[:from], []schemas.Range{r}, list[to:])
}

// intersect gives the stripes of the list that are in r too.
func intersect(list []schemas.Range, r schemas.Range) []schemas.Range {
	var both []schemas.Range
	for _, have := range list {
		if first, last := max(have.First, r.First), min(have.Last, r.Last); first <= last {
			both = append(both, schemas.Range{First: first, Last: last})
		}
	}
	return both
}

// subtract takes the stripes of r away.
func subtract(list []schemas.Range, r schemas.Range) []schemas.Range {
	var rest []schemas.Range
	for _, have := range list {
		if before := min(have.Last, r.First-1); have.First <= before {
			rest = append(rest, schemas.Range{First: have.First, Last: before})
		}
		if behind := max(have.First, r.Last+1); behind <= have.Last {
			rest = append(rest, schemas.Range{First: behind, Last: have.Last})
		}
	}
	return rest
}

// covered counts the stripes of a list.
func covered(list []schemas.Range) int {
	n := 0
	for _, r := range list {
		n += int(r.Last-r.First) + 1
	}
	return n
}
