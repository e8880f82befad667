package verify

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/schemas"
)

func delivery(p schemas.Packet) schemas.Delivery {
	return schemas.Delivery{Packet: p, Key: bytes.Clone(p.Block[:]), Partition: schemas.Partition(p.Block[:], 6), Partitions: 6}
}

func data(stripe int32, length int) schemas.Delivery {
	payload := bytes.Repeat([]byte{7, 1, 9}, length/3+1)[:length]
	p := schemas.Packet{Kind: schemas.PacketData, Block: schemas.FileID{1}.Block(2), Generation: 3, Policy: "RS-3-2-4k", Stripe: stripe,
		Offset: int64(stripe) * 12288, CRC: schemas.CRC(payload), FileLength: -1, Checksums: schemas.AppendSums(nil, payload), Payload: payload}
	if stripe == 0 {
		p.Path, p.Metadata = "/a/b", map[string]string{"k": "v"}
	}
	return delivery(p)
}

func end(kind schemas.PacketKind, stripes int32) schemas.Delivery {
	return delivery(schemas.Packet{Kind: kind, Block: schemas.FileID{1}.Block(2), Generation: 3, Policy: "RS-3-2-4k", Stripe: stripes,
		Offset: 100, FileLength: -1})
}

func lastEnd() schemas.Delivery {
	d := end(schemas.PacketEnd, 1)
	d.Packet.Last, d.Packet.FileLength, d.Packet.Path = true, 100, "/a/b"
	return d
}

func TestGoodPacketsPass(t *testing.T) {
	fence := end(schemas.PacketFence, -1)
	fence.Packet.Offset = -1
	for name, d := range map[string]schemas.Delivery{
		"one byte": data(1, 1), "chunk": data(0, 4096), "chunk and one": data(3, 4097), "whole": data(4095, 12288),
		"end": end(schemas.PacketEnd, 4096), "empty end": end(schemas.PacketEnd, 0), "fence": end(schemas.PacketFence, -1),
		"fence without offset": fence, "last": lastEnd(),
	} {
		passed := 0
		if err := Stage(d, func(schemas.Packet) { passed++ }); err != nil || passed != 1 {
			t.Errorf("%s: %v, %d packets", name, err, passed)
		}
	}
}

func TestEachFaultHasItsCode(t *testing.T) {
	type change func(d *schemas.Delivery)
	for _, c := range []struct {
		code string
		d    schemas.Delivery
		do   change
	}{
		{"partition", data(1, 10), func(d *schemas.Delivery) { d.Partition = (d.Partition + 1) % 6 }},
		{"key", data(1, 10), func(d *schemas.Delivery) { d.Packet.Block[0]++ }},
		{"kind", data(1, 10), func(d *schemas.Delivery) { d.Packet.Kind = "OTHER" }},
		{"policy", data(1, 10), func(d *schemas.Delivery) { d.Packet.Policy = "RS-3-2" }},
		{"generation", data(1, 10), func(d *schemas.Delivery) { d.Packet.Generation = math.MaxInt64 + 1 }},
		{"stripe", data(1, 10), func(d *schemas.Delivery) { d.Packet.Stripe = -1 }},
		{"stripe", data(1, 10), func(d *schemas.Delivery) { d.Packet.Stripe = 4096 }},
		{"stripe", end(schemas.PacketEnd, 1), func(d *schemas.Delivery) { d.Packet.Stripe = 4097 }},
		{"stripe", end(schemas.PacketEnd, 1), func(d *schemas.Delivery) { d.Packet.Stripe = -1 }},
		{"stripe", end(schemas.PacketFence, -1), func(d *schemas.Delivery) { d.Packet.Stripe = 0 }},
		{"offset", data(1, 10), func(d *schemas.Delivery) { d.Packet.Offset = -1 }},
		{"offset", data(1, 10), func(d *schemas.Delivery) { d.Packet.Offset = math.MaxInt64 }},
		{"length", data(1, 12288), func(d *schemas.Delivery) { d.Packet.Payload = append(d.Packet.Payload, 1) }},
		{"length", data(1, 10), func(d *schemas.Delivery) { d.Packet.Payload = nil }},
		{"length", data(1, 10), func(d *schemas.Delivery) { d.Packet.Last = true }},
		{"length", data(1, 10), func(d *schemas.Delivery) { d.Packet.FileLength = 10 }},
		{"length", end(schemas.PacketEnd, 1), func(d *schemas.Delivery) { d.Packet.Payload = []byte{1} }},
		{"length", end(schemas.PacketEnd, 1), func(d *schemas.Delivery) { d.Packet.Checksums = []byte{1} }},
		{"length", end(schemas.PacketEnd, 1), func(d *schemas.Delivery) { d.Packet.FileLength = 100 }},
		{"length", lastEnd(), func(d *schemas.Delivery) { d.Packet.FileLength = 99 }},
		{"length", end(schemas.PacketFence, -1), func(d *schemas.Delivery) { d.Packet.Last, d.Packet.FileLength = true, 100 }},
		{"path", data(1, 10), func(d *schemas.Delivery) { d.Packet.Path = "/a" }},
		{"path", data(1, 10), func(d *schemas.Delivery) { d.Packet.Metadata = map[string]string{"a": "b"} }},
		{"path", data(0, 10), func(d *schemas.Delivery) { d.Packet.Path = "" }},
		{"path", data(0, 10), func(d *schemas.Delivery) { d.Packet.Path = "/a/../b" }},
		{"path", end(schemas.PacketEnd, 1), func(d *schemas.Delivery) { d.Packet.Path = "/a" }},
		{"path", lastEnd(), func(d *schemas.Delivery) { d.Packet.Path = "a" }},
		{"metadata", data(0, 10), func(d *schemas.Delivery) {
			d.Packet.Metadata = map[string]string{"k": strings.Repeat("v", MaxMetadata)}
		}},
		{"checksums", data(1, 5000), func(d *schemas.Delivery) { d.Packet.Checksums = d.Packet.Checksums[:4] }},
		{"checksums", data(1, 5000), func(d *schemas.Delivery) { d.Packet.Checksums = append(d.Packet.Checksums, 0, 0, 0, 0) }},
		{"checksum", data(1, 5000), func(d *schemas.Delivery) { d.Packet.Payload[4999]++ }},
		{"checksum", data(1, 5000), func(d *schemas.Delivery) { d.Packet.Checksums[0]++ }},
		{"crc", data(1, 5000), func(d *schemas.Delivery) { d.Packet.CRC++ }},
	} {
		c.do(&c.d)
		err := Stage(c.d, func(schemas.Packet) { t.Errorf("%s: passed", c.code) })
		r, ok := schemas.AsReject(err)
		if !ok || r.Code != c.code || strings.Contains(r.Message, "\n") {
			t.Errorf("want a reject with code %s, got %v", c.code, err)
		}
	}
}

func TestLaws(t *testing.T) {
	lawtest.Stage(t, Stage, func(t *rapid.T) schemas.Delivery {
		d := data(rapid.Int32Range(-1, 4096).Draw(t, "stripe"), rapid.IntRange(0, 9000).Draw(t, "length"))
		if rapid.Bool().Draw(t, "flip") && len(d.Packet.Payload) > 0 {
			d.Packet.Payload[0]++
		}
		return d
	})
}

func FuzzStage(f *testing.F) {
	f.Add([]byte("payload"), []byte{1, 2, 3, 4}, int32(1), int64(3), "DATA", "RS-3-2-4k", "/p")
	f.Fuzz(func(t *testing.T, payload, sums []byte, stripe int32, offset int64, kind, policy, path string) {
		p := schemas.Packet{Kind: schemas.PacketKind(kind), Policy: policy, Stripe: stripe, Offset: offset, Path: path, FileLength: -1,
			Checksums: sums, Payload: payload, CRC: schemas.CRC(payload)}
		err := Stage(delivery(p), func(schemas.Packet) {})
		if _, ok := schemas.AsReject(err); err != nil && !ok {
			t.Fatal(err)
		}
	})
}

func BenchmarkStage(b *testing.B) {
	d := data(1, 12288)
	d.Packet.Policy = schemas.DefaultPolicy
	d.Packet.Payload = make([]byte, 384<<10)
	d.Packet.CRC, d.Packet.Checksums = schemas.CRC(d.Packet.Payload), schemas.AppendSums(nil, d.Packet.Payload)
	b.SetBytes(int64(len(d.Packet.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Stage(d, func(schemas.Packet) {}); err != nil {
			b.Fatal(err)
		}
	}
}
