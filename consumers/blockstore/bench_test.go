package blockstore

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stripeline/schemas"
)

// BenchmarkStore stores stripes of the default policy on 9 targets, flushing in the background as the runtime does,
// and prints how that compares with writing the same bytes (data and parity) to one file and fsyncing as often.
func BenchmarkStore(b *testing.B) {
	const perFlush = 128 // stripes, 48 MiB of data
	r := newRig(b, 9, nil)
	packets := make([]schemas.Packet, perFlush)
	for i := range packets {
		packets[i] = packet(r.file.Block(0), int32(i), 6*65536)
		packets[i].Policy = schemas.DefaultPolicy
	}
	b.SetBytes(perFlush * 6 * 65536)
	b.ReportAllocs()
	var stored time.Duration
	rounds := 0
	flushed := make(chan error, 1)
	flushed <- nil
	b.ResetTimer()
	start := time.Now()
	for b.Loop() {
		for _, p := range packets {
			p.Block = r.file.Block(uint32(rounds))
			r.benchPut(b, p)
		}
		if err := <-flushed; err != nil {
			b.Fatal(err)
		}
		go func() { flushed <- r.sink.Flush(context.Background(), func(schemas.Ack) {}) }()
		rounds++
	}
	if err := <-flushed; err != nil {
		b.Fatal(err)
	}
	stored = time.Since(start)
	b.StopTimer()
	plain := plainWrite(b, rounds, perFlush*9*65536)
	b.ReportMetric(plain.Seconds()/stored.Seconds(), "of-plain-write")
}

// benchPut puts a packet without counting its release.
func (r *rig) benchPut(b *testing.B, p schemas.Packet) {
	var s schemas.Stripe
	if err := r.coder.Stage(p, func(out schemas.Stripe) { s = out }); err != nil {
		b.Fatal(err)
	}
	for _, t := range r.store.targets {
		s.Targets = append(s.Targets, t.id)
	}
	if err := r.sink.Put(context.Background(), s); err != nil {
		b.Fatal(err)
	}
}

// plainWrite gives the time that it takes to write and fsync the same bytes, in 1 MiB pieces, to one file.
func plainWrite(b *testing.B, rounds, bytes int) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	piece := make([]byte, 1<<20)
	copy(piece, content(schemas.BlockID{}, 1, 1<<20))
	start := time.Now()
	for range rounds {
		for n := 0; n < bytes; n += len(piece) {
			if _, err := f.Write(piece[:min(len(piece), bytes-n)]); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// BenchmarkSmallBlocks stores blocks of one short stripe, 64 to a flush.
func BenchmarkSmallBlocks(b *testing.B) {
	r := newRig(b, 9, nil)
	number := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		for range 64 {
			number++
			p := packet(r.file.Block(number), 0, 5000)
			p.Policy = schemas.DefaultPolicy
			r.benchPut(b, p)
			end := endPacket(p.Block, 1)
			end.Policy = schemas.DefaultPolicy
			r.benchPut(b, end)
		}
		if err := r.sink.Flush(context.Background(), func(schemas.Ack) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(number)/b.Elapsed().Seconds(), "blocks/s")
}
