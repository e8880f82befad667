package reader

import (
	"fmt"
	"io"
	"testing"
	"time"
)

// BenchmarkRead reads 96 MiB from the page cache: healthy, with one and with three indexes gone, and as plain files.
// It prints the degraded rates as ratios of the healthy one of the same run.
func BenchmarkRead(b *testing.B) {
	for _, policy := range []string{"RS-6-3-64k", "RS-6-3-1024k"} {
		benchmarkPolicy(b, policy)
	}
}

func benchmarkPolicy(b *testing.B, policy string) {
	c := build(b, policy, pattern(96<<20), whole(policy, 170))
	healthy := 0.0
	for _, gone := range [][]int{nil, {0}, {0, 2, 5}} {
		b.Run(fmt.Sprintf("%s/gone=%d", policy, len(gone)), func(b *testing.B) {
			defer c.lose(gone...)()
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			begin := time.Now()
			for b.Loop() {
				f, err := Open(b.Context(), c.source(), c.entry)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
				_ = f.Close()
			}
			rate := float64(b.N) * float64(len(c.data)) / time.Since(begin).Seconds()
			if gone == nil {
				healthy = rate
			}
			if healthy > 0 {
				b.ReportMetric(rate/healthy, "of-healthy")
			}
		})
	}
}

func BenchmarkPread4k(b *testing.B) {
	c := build(b, "RS-6-3-64k", pattern(24<<20), whole("RS-6-3-64k", 170))
	f := c.open(b)
	p := make([]byte, 4096)
	b.ReportAllocs()
	at := int64(0)
	for b.Loop() {
		if _, err := f.ReadAt(p, at); err != nil {
			b.Fatal(err)
		}
		at = (at + 1234567) % int64(len(c.data)-4096)
	}
}
