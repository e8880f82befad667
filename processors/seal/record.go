package seal

import (
	"bytes"
	"slices"

	"stripeline/schemas"
)

// expand gives the length of each stripe.
func expand(runs []schemas.Run) []int32 {
	var count int32
	for _, r := range runs {
		count += r.Count
	}
	lengths := make([]int32, 0, count)
	for _, r := range runs {
		for range r.Count {
			lengths = append(lengths, r.Length)
		}
	}
	return lengths
}

// compress joins stripes of equal length.
func compress(lengths []int32) []schemas.Run {
	var runs []schemas.Run
	for _, length := range lengths {
		if last := len(runs) - 1; last >= 0 && runs[last].Length == length {
			runs[last].Count++
		} else {
			runs = append(runs, schemas.Run{Length: length, Count: 1})
		}
	}
	return runs
}

// same says whether two records are equal; no list and an empty one are.
func same(a, b *schemas.Block) bool {
	return a.ID == b.ID && a.Generation == b.Generation && a.Policy == b.Policy && a.State == b.State &&
		a.Offset == b.Offset && a.Length == b.Length && a.CRC == b.CRC && a.Stored == b.Stored && a.Full == b.Full &&
		a.Last == b.Last && a.FileLength == b.FileLength && slices.Equal(a.Runs, b.Runs) && bytes.Equal(a.CRCs, b.CRCs) &&
		slices.Equal(a.Missing, b.Missing) && slices.EqualFunc(a.Shards, b.Shards, sameShard)
}

func sameShard(a, b schemas.Shard) bool {
	return a.Index == b.Index && a.Target == b.Target && a.Domain == b.Domain && a.Incarnation == b.Incarnation &&
		a.State == b.State && slices.Equal(a.Ranges, b.Ranges)
}
