package seal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/schemas"
)

var stripeLengths = []int{12288, 12288, 12288, 1, 4096, 4097, 8192, 8193, 12287}

// content gives the bytes of a stripe: another salt, other bytes; salt 2 has another length too.
func content(lengths []int, salt int) func(int32) []byte {
	return func(stripe int32) []byte {
		length := lengths[stripe]
		if salt == 2 {
			length = 12289 - length
		}
		return bytes.Repeat([]byte{byte(stripe), byte(salt)}, 6145)[:length]
	}
}

type heard struct {
	ack  schemas.Ack
	salt int
}

func ackOf(kind schemas.AckKind) schemas.Ack {
	return schemas.Ack{Kind: kind, Block: testFile.Block(0), Generation: 5, Policy: "RS-3-2-4k", Offset: -1, First: -1, Stripes: -1, FileLength: -1}
}

func drawReceipt(t *rapid.T, first, last int32) schemas.Receipt {
	index := rapid.Int32Range(0, 4).Draw(t, "index")
	domain := index
	incarnation := rapid.SampledFrom([]string{"a", "a", "a", "b", "c"}).Draw(t, "incarnation")
	if incarnation != "a" {
		domain = rapid.Int32Range(0, 6).Draw(t, "domain")
		incarnation += fmt.Sprint(domain)
	}
	from := rapid.Int32Range(first, last).Draw(t, "from")
	return receiptOf(index, incarnation, fmt.Sprint("d", domain), schemas.Range{First: from, Last: rapid.Int32Range(from, last).Draw(t, "to")})
}

func drawReceipts(t *rapid.T, lengths []int) heard {
	h := heard{ack: ackOf(schemas.AckReceipt)}
	ack := &h.ack
	ack.First = rapid.Int32Range(0, int32(len(lengths))-1).Draw(t, "first")
	last := rapid.Int32Range(ack.First, int32(len(lengths))-1).Draw(t, "last")
	if rapid.IntRange(0, 2).Draw(t, "whole") > 0 {
		ack.First, last = 0, int32(len(lengths))-1
		ack.Receipts = []schemas.Receipt{}
		for index := range int32(5) {
			if rapid.IntRange(0, 5).Draw(t, "there") > 0 {
				ack.Receipts = append(ack.Receipts, receiptOf(index, "a", fmt.Sprint("d", index), schemas.Range{First: 0, Last: last}))
			}
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "receipts") {
		ack.Receipts = append(ack.Receipts, drawReceipt(t, ack.First, last))
	}
	ack.Offset = 1000
	for _, length := range lengths[:ack.First] {
		ack.Offset += int64(length)
	}
	if rapid.IntRange(0, 5).Draw(t, "gives up") == 0 {
		ack.Missing = []int32{rapid.Int32Range(0, 4).Draw(t, "missing")}
	}
	h.describe(lengths, last)
	return h
}

func (h *heard) describe(lengths []int, last int32) {
	h.ack.Lengths, h.ack.CRCs = nil, nil
	for stripe := h.ack.First; stripe <= last; stripe++ {
		payload := content(lengths, h.salt)(stripe)
		h.ack.Lengths = append(h.ack.Lengths, int32(len(payload)))
		h.ack.CRCs = binary.BigEndian.AppendUint32(h.ack.CRCs, schemas.CRC(payload))
	}
}

// drawAck draws any ack, also of other generations and other content.
func drawAck(t *rapid.T, lengths []int) heard {
	h := heard{ack: ackOf(schemas.AckClose)}
	kind := rapid.IntRange(0, 20).Draw(t, "kind")
	switch {
	case kind < 14:
		h = drawReceipts(t, lengths)
		if rapid.IntRange(0, 8).Draw(t, "other content") == 0 {
			h.salt = rapid.IntRange(1, 2).Draw(t, "salt")
			h.describe(lengths, h.ack.First+int32(len(h.ack.Lengths))-1)
		}
		if rapid.IntRange(0, 8).Draw(t, "repaired") == 0 {
			for i := range h.ack.Receipts {
				h.ack.Receipts[i].Repaired = rapid.Bool().Draw(t, "by repair")
			}
		}
	case kind < 16:
		h.ack.Offset = 77
		h.ack.Stripes = rapid.SampledFrom([]int32{-1, int32(len(lengths)), 0, 2}).Draw(t, "stripes")
		if h.ack.Last = rapid.Bool().Draw(t, "last"); h.ack.Last {
			h.ack.FileLength = 99
		}
	case kind < 18:
		h.ack.Kind = schemas.AckLoss
	case kind < 20:
		h.ack.Kind = schemas.AckRemoved
	default:
		h.ack.Kind = schemas.AckDelete
	}
	if h.ack.Kind == schemas.AckLoss || h.ack.Kind == schemas.AckRemoved {
		for range rapid.IntRange(1, 3).Draw(t, "lost") {
			h.ack.Receipts = append(h.ack.Receipts, drawReceipt(t, 0, int32(len(lengths))-1))
		}
	}
	if rapid.IntRange(0, 12).Draw(t, "other generation") == 0 {
		h.ack.Generation = schemas.Generation(rapid.IntRange(4, 6).Draw(t, "generation"))
	}
	return h
}

func drawLengths(t *rapid.T) []int {
	return rapid.SliceOfN(rapid.SampledFrom(stripeLengths), 1, 7).Draw(t, "lengths")
}

func fold(t rapid.TB, s schemas.Block, ack schemas.Ack) (schemas.Block, bool) {
	emitted := false
	next, err := Fold(s, ack, func(b schemas.Block) {
		emitted = true
	})
	if err != nil {
		t.Fatalf("fold: %v", err)
	}
	return next, emitted
}

func TestTheRecordIsWhatADumbModelSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := drawLengths(t)
		m, s := &model{}, schemas.Block{}
		for range rapid.IntRange(1, 14).Draw(t, "acks") {
			h := drawAck(t, lengths)
			m.hear(&h.ack, content(lengths, h.salt))
			before := describeBlock(&s)
			s, _ = fold(t, s, h.ack)
			if err := m.compare(&s); err != nil {
				t.Fatalf("%v, got\n%s\nbefore\n%s\nack %+v", err, describeBlock(&s), before, h.ack)
			}
		}
	})
}

func TestOrderAndRepeatsOfReceiptsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := drawLengths(t)
		var acks []schemas.Ack
		for range rapid.IntRange(1, 10).Draw(t, "acks") {
			acks = append(acks, drawReceipts(t, lengths).ack)
		}
		repeats := rapid.SliceOf(rapid.SampledFrom(acks)).Draw(t, "repeats")
		shuffled := rapid.Permutation(slices.Concat(acks, repeats)).Draw(t, "shuffled")
		var a, b schemas.Block
		for _, ack := range acks {
			a, _ = fold(t, a, ack)
		}
		for _, ack := range shuffled {
			b, _ = fold(t, b, ack)
		}
		if !same(&a, &b) {
			t.Fatalf("in order\n%s\nshuffled\n%s", describeBlock(&a), describeBlock(&b))
		}
		end := ackOf(schemas.AckClose)
		end.Stripes = int32(len(lengths))
		a, _ = fold(t, a, end)
		b, _ = fold(t, b, end)
		if !same(&a, &b) {
			t.Fatalf("closed in order\n%s\nshuffled\n%s", describeBlock(&a), describeBlock(&b))
		}
	})
}

func TestAClosedBlockIsFixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := drawLengths(t)
		var s schemas.Block
		for range rapid.IntRange(1, 14).Draw(t, "acks") {
			before := s
			s, _ = fold(t, s, drawAck(t, lengths).ack)
			if !before.Closed() {
				continue
			}
			if s.Length != before.Length || s.CRC != before.CRC || !slices.Equal(s.Runs, before.Runs) || !bytes.Equal(s.CRCs, before.CRCs) ||
				s.State == schemas.BlockOpen || s.Last != before.Last {
				t.Fatalf("closed\n%s\nbecame\n%s", describeBlock(&before), describeBlock(&s))
			}
			for i, shard := range before.Shards {
				if at, _ := slices.BinarySearchFunc(s.Shards, i, func(have schemas.Shard, _ int) int {
					return bytes.Compare(append([]byte{byte(have.Index)}, have.Incarnation[:]...), append([]byte{byte(shard.Index)}, shard.Incarnation[:]...))
				}); shard.State != schemas.ShardKeep && s.Shards[at].State == schemas.ShardKeep {
					t.Fatalf("shard %d/%s came back from %s", shard.Index, shard.Incarnation, shard.State)
				}
			}
		}
	})
}

func TestLaws(t *testing.T) {
	lawtest.Fold(t, lawtest.FoldCase[schemas.Block, schemas.Ack, schemas.Block]{
		New:  func() schemas.Block { return schemas.Block{} },
		Fold: Fold,
		Key:  func(b schemas.Block) string { return b.ID.String() },
		History: func(t *rapid.T) []schemas.Ack {
			// A loss that is heard again takes what came back meanwhile, so losses are not among the facts here. What
			// comes before the block's first receipt is of no block. A receipt of another generation is nothing to a
			// live block, but names a shard that a deleted one must see removed. Repair's counts only once the stripe
			// is known.
			lengths := drawLengths(t)
			acks := []schemas.Ack{drawReceipts(t, lengths).ack}
			acks[0].Missing = []int32{0}
			for range rapid.IntRange(1, 12).Draw(t, "acks") {
				ack := drawAck(t, lengths).ack
				if ack.Kind == schemas.AckReceipt {
					ack.Generation = 5
					for i := range ack.Receipts {
						ack.Receipts[i].Repaired = false
					}
				}
				if ack.Kind != schemas.AckLoss {
					acks = append(acks, ack)
				}
			}
			return acks
		},
	})
}
