package flow

import (
	"context"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// Defaults of the fields that may be zero.
const (
	DefaultBudget = 64 << 20         // bytes
	DefaultDrain  = 10 * time.Second // must be well below kafka.RebalanceTimeout
	DefaultBatch  = 1000012          // bytes; fits a stock broker's max.message.bytes
	DefaultCommit = 200 * time.Millisecond
)

// Limits are what every link can be told beside its work; the zero value is fine.
type Limits struct {
	Budget int64                   // bytes of records between poll and done, DefaultBudget when 0; a partition may hold half
	Drain  time.Duration           // how long a revoked partition may finish what it started, DefaultDrain when 0
	Size   func(*kafka.Record) int // what a record weighs; its key, value, headers and 448 bytes when nil, and never more

	Commit time.Duration // how often what is done is committed, DefaultCommit when 0; a run that somebody waits for the end of wants it often

	MaxBatch int32 // bytes of a batch that is written, at most max.message.bytes of the topics; DefaultBatch when 0

	// Readers are the groups of all links that read the input, this one's among them. When set, the link removes from
	// its partitions of the input what all of them have done with (see Truncate). For topics with retention -1.
	Readers []string
}

// SinkLink runs records through a stage into a sink, and what the sink says to an output topic. At least once.
type SinkLink[In, Out any] struct {
	Name, Input string // Input is the topic's full name; the group is the namespace, ".", and Name

	Stage  Stage[*kafka.Record, In]
	Open   func(ctx context.Context, partition int32) (Sink[In, Out], error)
	Encode func(Out) (*kafka.Record, error) // names the topic; partitioned by key. May be nil when the sink emits nothing

	Limits
}

// StageLink runs records through a stage to the topics named in what it emits, by key. At least once.
type StageLink struct {
	Name, Input string // Input is the topic's full name; the group is the namespace, ".", and Name
	Group       string // another group than that

	Stage       Stage[*kafka.Record, *kafka.Record]
	Compression string // of what it writes, as kafka.ProducerConfig has it

	Limits
}

// FoldLink folds records into memory, key by key, and what that emits into a compacted topic with the input's partition
// count, partition by partition. Exactly once.
type FoldLink[S, In, Out any] struct {
	Name, Input, Output string // topics by their full names; the group is the namespace, ".", and Name

	Decode func(*kafka.Record) (key string, in In, err error) // the key of the memory; a Rejection files the record
	Fold   Fold[S, In, Out]

	// Encode gives the record of what was emitted. On topic Output (or "") it goes to the input's partition number, and
	// only the last per key of a transaction is written; on other topics it goes by key. A nil Value is a tombstone.
	Encode func(Out) (*kafka.Record, error)

	// Restore takes one record of Output back into the memory of a key. An apply of nil is skipped. Position records
	// never reach it.
	Restore func(*kafka.Record) (key string, apply func(S) S, err error)

	// Forget says that a key's memory need not be kept any longer; may be nil.
	Forget func(S) bool

	// The codec of the position record, which lies in Output under schemas.PositionKey.
	EncodePosition func(schemas.Position) ([]byte, error)
	DecodePosition func([]byte) (schemas.Position, error)

	Limits
}

func (l Limits) withDefaults() Limits {
	if l.Budget == 0 {
		l.Budget = DefaultBudget
	}
	if l.Drain == 0 {
		l.Drain = DefaultDrain
	}
	if l.Commit == 0 {
		l.Commit = DefaultCommit
	}
	if l.MaxBatch == 0 {
		l.MaxBatch = DefaultBatch
	}
	if l.Size == nil {
		l.Size = weigh
	}
	return l
}

// weigh gives what a record weighs in memory, roughly.
func weigh(r *kafka.Record) int {
	n := len(r.Key) + len(r.Value) + overhead
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}
