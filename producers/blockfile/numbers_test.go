package blockfile

import (
	"context"
	"slices"
	"testing"

	"stripeline/schemas"
)

func TestBlockSizeDoubles(t *testing.T) {
	for number, want := range map[uint32]int64{0: 64 << 20, 1023: 64 << 20, 1024: 128 << 20, 2048: 256 << 20, 4095: 512 << 20,
		4096: 1 << 30, 5120: 1 << 30, 1<<32 - 1: 1 << 30} {
		if got := BlockSize(number); got != want {
			t.Errorf("block %d: %d bytes, want %d", number, got, want)
		}
	}
	for name, want := range map[string]int32{"RS-6-3-64k": 170, "RS-3-2-4k": 4096, "RS-6-3-1024k": 10, "RS-6-3-16384k": 1, "REP-3": 170} {
		if p, _ := schemas.ParsePolicy(name); Stripes(0, p) != want {
			t.Errorf("%s: %d stripes, want %d", name, Stripes(0, p), want)
		}
	}
	p, _ := schemas.ParsePolicy("RS-6-3-64k")
	if got := Stripes(4096, p); got != 2730 {
		t.Errorf("1 GiB of %s: %d stripes", p, got)
	}
}

func TestGrants(t *testing.T) {
	for name, test := range map[string]struct {
		size   int64
		blocks int64
		want   []int
	}{
		"size unknown": {0, 15, []int{1, 1, 2, 4, 8}},
		"size known":   {15 * 4096 * 12288, 15, []int{15}},
		"size wrong":   {1, 3, []int{1, 1, 1}},
		"size large":   {100 * 4096 * 12288, 70, []int{64, 36}},
	} {
		config := testConfig(t, testPolicy)
		config.Size, config.Granted = test.size, nil
		var asked []int
		config.Grant = func(_ context.Context, count int) ([]schemas.Numbers, error) {
			asked = append(asked, count)
			return []schemas.Numbers{{First: 0, Count: int32(count)}}, nil
		}
		n := numbers{}
		for range test.blocks {
			if _, err := n.take(t.Context(), &config); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(asked, test.want) {
			t.Errorf("%s: asked for %v, want %v", name, asked, test.want)
		}
	}
}
