package blockfile

import (
	"context"
	"fmt"
	"math"

	"stripeline/schemas"
)

const (
	firstBlockSize = 64 << 20 // bytes
	doubleEvery    = 1024     // blocks
)

// BlockSize gives the largest number of bytes of the block with the given number: 64 MiB, doubled every 1,024 blocks
// up to 1 GiB.
func BlockSize(number uint32) int64 {
	return firstBlockSize << min(number/doubleEvery, 4)
}

// Stripes gives the number of full stripes of the block with the given number: as many as its size holds, at least 1
// and at most schemas.MaxStripes.
func Stripes(number uint32, policy schemas.Policy) int32 {
	return int32(max(1, min(schemas.MaxStripes, BlockSize(number)/int64(policy.Stripe()))))
}

// numbers are granted block numbers that were not used yet. Each further grant asks for twice as many.
type numbers struct {
	free []schemas.Numbers
	used int64
}

func (n *numbers) give(granted []schemas.Numbers) {
	for _, g := range granted {
		if g.Count > 0 {
			n.free = append(n.free, g)
		}
	}
}

func (n *numbers) left() []schemas.Numbers { return append([]schemas.Numbers(nil), n.free...) }

func (n *numbers) take(ctx context.Context, config *Config) (uint32, error) {
	if len(n.free) == 0 {
		granted, err := config.Grant(ctx, n.want(config))
		if err != nil {
			return 0, fmt.Errorf("ask for block numbers: %w", err)
		}
		n.give(granted)
	}
	if len(n.free) == 0 {
		return 0, fmt.Errorf("%w: no number was granted", ErrNumbers)
	}
	first := &n.free[0]
	number := first.First
	if number < 0 || number > math.MaxUint32 {
		return 0, fmt.Errorf("%w: number %d does not fit a block id", ErrNumbers, number)
	}
	n.used++
	first.First++
	if first.Count--; first.Count == 0 {
		n.free = n.free[1:]
	}
	return uint32(number), nil
}

// want is the number of blocks that a known size needs, else as many as were used, so that it doubles.
func (n *numbers) want(config *Config) int {
	want := max(1, n.used)
	if config.Size > 0 {
		perBlock := int64(Stripes(0, config.Policy)) * int64(config.Policy.Stripe())
		want = (config.Size+perBlock-1)/perBlock - n.used
	}
	return int(max(1, min(schemas.MaxGrant, want)))
}
