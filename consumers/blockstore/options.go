package blockstore

import (
	"errors"
	"time"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// The errors of Open, each in the chain of one line that names the directory and says what to do.
var (
	ErrNotDirectory = errors.New("not a directory")
	ErrUnwritable   = errors.New("not writable")
	ErrNoIDFile     = errors.New("no id file")
	ErrWrongTarget  = errors.New("another target")
	ErrOwned        = errors.New("owned by another process")
)

// The errors of a store in use.
var (
	// ErrBelowQuorum is returned by Flush when a stripe lacks receipts; the sink keeps its cells and tries again.
	ErrBelowQuorum = errors.New("too few targets work")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the store is closed")
	// ErrSick is returned when a target does not work.
	ErrSick = errors.New("the target is sick")
	// ErrNoTarget is returned for a target that this store does not own.
	ErrNoTarget = errors.New("not a target of this store")
	// ErrNoShard is returned for a shard file that is not there.
	ErrNoShard = errors.New("no such shard")
	// ErrNoFrame is returned for a stripe that a shard has no frame of.
	ErrNoFrame = errors.New("no such frame")
)

// Directory is a target to open.
type Directory struct {
	Path   string
	ID     schemas.TargetID // the target that is expected there; zero = any, and an empty directory becomes a new one
	Rack   string
	Domain string // failure domain; "" = the target's id, a domain of its own
}

// Options say what a store is made of.
type Options struct {
	Directories []Directory
	Node        string        // the name of this machine, for Targets
	Disk        *durable.Disk // nil = the plain one
	Deadline    time.Duration // of one write or fsync, after which its target is sick; 0 = DefaultDeadline
	// Acked gives what is on record of a block; nil = nothing is known. It decides how far a damaged tail may be cut
	// and which shards a block began with. It is called once per block and sink, and may block.
	Acked func(schemas.BlockID) (schemas.Block, bool)
}

// DefaultDeadline is the time that a write or fsync may take.
const DefaultDeadline = 30 * time.Second

// IDFile is the name of a target's id file.
const IDFile = "stripeline-target"
