package reader

import (
	"fmt"
	"sort"

	"stripeline/schemas"
)

// geometry says where the bytes of a block are. Run i begins at stripe firsts[i] and at block offset starts[i];
// both have one entry more than there are runs, for the end.
type geometry struct {
	policy schemas.Policy
	runs   []schemas.Run
	firsts []int32
	starts []int64
}

func newGeometry(b *schemas.Block) (*geometry, error) {
	policy, err := schemas.ParsePolicy(b.Policy)
	if err != nil {
		return nil, err
	}
	g := &geometry{policy: policy, firsts: []int32{0}, starts: []int64{0}}
	for _, r := range b.Runs {
		count := min(r.Count, b.Stored-g.stripes())
		if count <= 0 {
			break
		}
		if r.Length <= 0 || int(r.Length) > policy.Stripe() {
			return nil, fmt.Errorf("read record of block %s: %w: a stripe of %d bytes in %s", b.ID, ErrDisagree, r.Length, policy)
		}
		g.firsts = append(g.firsts, g.stripes()+count)
		g.starts = append(g.starts, g.length()+int64(count)*int64(r.Length))
		g.runs = append(g.runs, schemas.Run{Length: r.Length, Count: count})
	}
	if g.length() != b.Length || g.stripes() != b.Stored || len(b.CRCs) < 4*int(b.Stored) {
		return nil, fmt.Errorf("read record of block %s: %w: %d bytes in %d stripes with %d checksums, said to be %d bytes in %d",
			b.ID, ErrDisagree, g.length(), g.stripes(), len(b.CRCs)/4, b.Length, b.Stored)
	}
	return g, nil
}

func (g *geometry) stripes() int32 { return g.firsts[len(g.runs)] }

func (g *geometry) length() int64 { return g.starts[len(g.runs)] }

// run gives the run that the stripe, below stripes, is in.
func (g *geometry) run(stripe int32) int {
	return sort.Search(len(g.runs), func(i int) bool { return stripe < g.firsts[i+1] })
}

// stripeLength gives the data bytes of a stripe.
func (g *geometry) stripeLength(stripe int32) int { return int(g.runs[g.run(stripe)].Length) }

// start gives the block offset of a stripe's first byte.
func (g *geometry) start(stripe int32) int64 {
	if stripe == g.stripes() {
		return g.length()
	}
	i := g.run(stripe)
	return g.starts[i] + int64(stripe-g.firsts[i])*int64(g.runs[i].Length)
}

// at gives the stripe that holds the byte at a block offset below length.
func (g *geometry) at(offset int64) int32 {
	i := sort.Search(len(g.runs), func(i int) bool { return offset < g.starts[i+1] })
	return g.firsts[i] + int32((offset-g.starts[i])/int64(g.runs[i].Length))
}

// cell gives the bytes of a cell.
func (g *geometry) cell(stripe int32, index int) int {
	return g.policy.CellLength(index, g.stripeLength(stripe))
}

// frameSize gives the bytes of an index's frame in a stripe of length bytes: 0 when its cell is empty.
func (g *geometry) frameSize(index, length int) int64 {
	cell := g.policy.CellLength(index, length)
	if cell == 0 {
		return 0
	}
	return int64(schemas.FrameHeaderSize(cell) + cell)
}

// frames says where the frames of one index lie: before[i] bytes of them belong to stripes before run i.
type frames struct {
	*geometry
	index  int
	before []int64
}

func (g *geometry) frames(index int) *frames {
	f := &frames{geometry: g, index: index, before: make([]int64, len(g.runs)+1)}
	for i, r := range g.runs {
		f.before[i+1] = f.before[i] + int64(r.Count)*g.frameSize(index, int(r.Length))
	}
	return f
}

// offset gives the bytes of all frames of the index before a stripe's.
func (f *frames) offset(stripe int32) int64 {
	if stripe == f.stripes() {
		return f.before[len(f.runs)]
	}
	i := f.run(stripe)
	return f.before[i] + int64(stripe-f.firsts[i])*f.frameSize(f.index, int(f.runs[i].Length))
}

// batch gives how many stripes from the given one on are read together: about 1 MiB from each shard, at most 8 MiB of
// data, at least one stripe and at most 512.
func (g *geometry) batch(stripe int32) int32 {
	const perShard, perBatch, maxBatch = 1100 << 10, 8 << 20, 512
	length := g.stripeLength(stripe)
	count := min(perShard/g.frameSize(0, length), int64(perBatch/length), maxBatch)
	return min(int32(max(1, count)), g.stripes()-stripe)
}
