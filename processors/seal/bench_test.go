package seal

import (
	"encoding/binary"
	"fmt"
	"testing"

	"stripeline/schemas"
)

// acksOf gives the acks of a whole block: batch stripes in each, all nine indexes, and the close.
func acksOf(stripes, batch int32) []schemas.Ack {
	const length = 6 * 65536
	var acks []schemas.Ack
	for first := int32(0); first < stripes; first += batch {
		ack := ackOf(schemas.AckReceipt)
		ack.Policy, ack.First, ack.Offset = schemas.DefaultPolicy, first, int64(first)*length
		last := min(first+batch, stripes) - 1
		for stripe := first; stripe <= last; stripe++ {
			ack.Lengths = append(ack.Lengths, length)
			ack.CRCs = binary.BigEndian.AppendUint32(ack.CRCs, uint32(stripe)*2654435761)
		}
		for index := range int32(9) {
			ack.Receipts = append(ack.Receipts, receiptOf(index, "a", fmt.Sprint("d", index), schemas.Range{First: first, Last: last}))
		}
		acks = append(acks, ack)
	}
	end := ackOf(schemas.AckClose)
	end.Policy, end.Stripes = schemas.DefaultPolicy, stripes
	return append(acks, end)
}

func BenchmarkBlock(b *testing.B) {
	for _, size := range []struct{ stripes, batch int32 }{{171, 8}, {4096, 32}, {4096, 1}} {
		b.Run(fmt.Sprintf("stripes=%d/batch=%d", size.stripes, size.batch), func(b *testing.B) {
			acks := acksOf(size.stripes, size.batch)
			b.ReportAllocs()
			for b.Loop() {
				var s schemas.Block
				for _, ack := range acks {
					s, _ = Fold(s, ack, func(schemas.Block) {})
				}
				if s.State != schemas.BlockSealed || s.Full != size.stripes {
					b.Fatalf("%s, %d full", s.State, s.Full)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(acks)), "ns/ack")
		})
	}
}
