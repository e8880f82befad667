package registry

import (
	"context"
	"errors"
)

// Record is one record of the log. A nil Value is a tombstone.
type Record struct {
	Offset int64
	Key    []byte
	Value  []byte
}

// Log is the compacted log that the registry keeps its state in: for Kafka, the topic _schemas with one partition and
// cleanup.policy=compact (anything else the implementation refuses before it hands the log over).
type Log interface {
	// Append writes records in order, all or none, as the leader of the given term, acknowledged by all replicas. It returns
	// the offset of the last one. It returns an error wrapping ErrNotLeader when the term is over, in which case nothing was
	// written. After any other error it is unknown whether the records were or will be written; whatever happened to them
	// must be decided before the next Append of this term takes effect.
	Append(ctx context.Context, term int64, records []Record) (last int64, err error)

	// Follow calls apply with the committed records of the log in order, from its start, and goes on as the log grows. next
	// is the position reached: one past the last offset consumed, counting those that carry no record (transaction
	// markers, compacted records), so it may move with an empty batch. Follow returns apply's error, ctx's, or that the
	// log cannot be read any more.
	Follow(ctx context.Context, apply func(records []Record, next int64) error) error

	// End returns the position that a reader of everything committed so far reaches.
	End(ctx context.Context) (int64, error)
}

// ErrNotLeader says that another instance may write now.
var ErrNotLeader = errors.New("not the leader of the schema log")

// Leadership says who may write.
type Leadership struct {
	Self    bool   // this instance may
	Term    int64  // changes whenever Self has turned true anew
	Address string // where the leader is, host:port or URL; "" while nobody knows
}
