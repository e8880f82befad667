package reader

import (
	"cmp"
	"context"
	"io"
	"time"

	"stripeline/schemas"
)

// DefaultHedge is how long a shard may take before parity is read instead of it.
const DefaultHedge = 250 * time.Millisecond

// DefaultDeadline is how long a shard may take before it counts as gone.
const DefaultDeadline = 30 * time.Second

// ShardFile is one shard file, open for reading. ReadAt is called from several goroutines; Close comes after the last
// ReadAt has returned.
type ShardFile interface {
	io.ReaderAt
	io.Closer
}

// Source is where a File gets what it reads. Block, Shard and Reconstruct are needed; all are called from several
// goroutines.
type Source struct {
	// Block gives the block's record as it is now. It is asked again when shards turn out to be gone.
	// A block that no record is left of is ErrReplaced.
	Block func(context.Context, schemas.BlockID) (schemas.Block, error)

	// Shard opens one shard file of the block. fs.ErrNotExist or any other error: the shard cannot be read.
	Shard func(context.Context, schemas.BlockID, schemas.Shard) (ShardFile, error)

	// Reconstruct makes the cells whose indexes are in want. cells has n entries in order of index; those that are
	// missing, or empty in a stripe of length data bytes, have length 0. It writes to a missing cell's capacity or puts
	// a slice of its own there, and must neither change a present cell nor write behind its length.
	Reconstruct func(policy schemas.Policy, cells [][]byte, length int, want []int) error

	Options
}

// Options are what a Source may leave out.
type Options struct {
	// Hedge is how long a shard may take before parity is read instead of it; 0 means DefaultHedge.
	Hedge time.Duration

	// Deadline is how long a shard may take before it counts as gone when there is nothing else to read; 0 means
	// DefaultDeadline.
	Deadline time.Duration

	// Damage is told of each shard or frame that failed, once per File. It is called from several goroutines and
	// must not block. Slowness is not damage.
	Damage func(Damage)

	// Rank orders shards that serve equally well, the smallest first; nil means the record's order.
	Rank func(schemas.Shard) int
}

// Damage is a shard, or a frame of it, that could not be used although the block's record keeps it.
type Damage struct {
	Path   string
	Block  schemas.BlockID
	Shard  schemas.Shard
	Stripe int32 // -1: the whole shard file
	Reason error // wraps fs.ErrNotExist, schemas.ErrBadFrame, ErrStrange, or what the file answered
}

func (b *block) deadline() time.Duration {
	return max(cmp.Or(b.source.Deadline, DefaultDeadline), b.hedge())
}

func (b *block) hedge() time.Duration { return cmp.Or(b.source.Hedge, DefaultHedge) }
