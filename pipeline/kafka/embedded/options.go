package embedded

import (
	"cmp"
	"log/slog"
	"time"
)

// DefaultAddr is where the broker listens unless told otherwise.
const DefaultAddr = "127.0.0.1:9092"

const (
	defaultTidy         = 5 * time.Second
	defaultMessageBytes = 16 << 20
	defaultSegmentBytes = 32 << 20
	defaultCompactBytes = 16 << 20
	defaultKeepFree     = 64 << 20
	defaultPartitions   = 6
)

// Options say where the broker lives. Only Dir is required.
type Options struct {
	// Dir keeps the log. It is created with mode 0700 and belongs to one process at a time.
	Dir string
	// Addr is host:port to listen on (DefaultAddr); port 0 takes a free one.
	Addr string
	// Advertise is the host:port, or the host, that clients are told to connect to. By default it is Addr, and when Addr names every interface
	// (0.0.0.0 or ::) the first address of this machine that others can reach.
	Advertise string
	// SyncWrites fsyncs every batch before it is acked.
	SyncWrites bool
	// AcceptLoss starts although the log was cut (ErrCut): positions beyond the new ends are dropped, so that their groups begin at the log's start.
	AcceptLoss bool
	// Topics are created when they are missing.
	Topics []Topic
	// MessageBytes is the largest batch a topic takes (16 MiB), SegmentBytes the size of one file of the log (32 MiB). Both are defaults that a topic may
	// override by max.message.bytes and segment.bytes.
	MessageBytes, SegmentBytes int
	// CompactBytes is how much compacted topics grow before they are compacted (16 MiB).
	CompactBytes int64
	// KeepFree is how many bytes of the disk stay free: below that, records are refused until there is room (64 MiB).
	KeepFree int64
	// LogMax is how many bytes the Capped topics may retain, all together: above it large produce requests are held until there is room. 0 is no bound.
	LogMax int64
	Capped []string
	// Tidy is the time between two looks at retention, compaction and the witnessed ends (5 s).
	Tidy time.Duration
	// Logger gets what the broker has to say; nil is silent.
	Logger *slog.Logger
}

// Topic is a topic that should exist: its name, its number of partitions (6 if 0), its configuration.
type Topic struct {
	Name       string
	Partitions int32
	Configs    map[string]string
}

func (o Options) withDefaults() Options {
	o.Addr = cmp.Or(o.Addr, DefaultAddr)
	o.MessageBytes = cmp.Or(o.MessageBytes, defaultMessageBytes)
	o.SegmentBytes = cmp.Or(o.SegmentBytes, defaultSegmentBytes)
	o.CompactBytes = cmp.Or(o.CompactBytes, defaultCompactBytes)
	o.KeepFree = cmp.Or(o.KeepFree, defaultKeepFree)
	o.Tidy = cmp.Or(o.Tidy, defaultTidy)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
