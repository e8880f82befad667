package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

// schemaLog is registry.Log on a compacted topic of one partition. Records are written in transactions: all of an Append or none, and whoever
// opens the transactional id fences the one who had it before.
//
// Without a seat the log belongs to one instance, which opened it last and for good; with one, each assignment of the partition is a term.
type schemaLog struct {
	cluster *kafka.Cluster
	topic   string
	id      string // transactional id
	seat    *seat  // nil: a single instance

	mu     sync.Mutex // held while writing
	writer *kafka.Transactor
	fenced bool
	term   int64
	alive  context.Context // ends with the term; nil for a single instance
}

func newSchemaLog(cluster *kafka.Cluster, topic string) *schemaLog {
	return &schemaLog{cluster: cluster, topic: topic, id: cluster.Name("registry")}
}

// open takes the transactional id for a single instance, which fences whoever had it and ends what they left unfinished. It is called at the
// start, so that a registry started later wins over one started earlier, and after a write whose outcome is unknown.
func (l *schemaLog) open(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reopen(ctx)
}

func (l *schemaLog) reopen(ctx context.Context) error {
	if l.fenced {
		return registry.ErrNotLeader
	}
	writer, err := l.cluster.NewTransactor(ctx, l.id, l.topic)
	if err != nil {
		return fmt.Errorf("open schema log: %w", err)
	}
	l.writer = writer
	return nil
}

// begin makes a transactor that was just opened the writer of a new term, which ends with alive.
func (l *schemaLog) begin(alive context.Context, writer *kafka.Transactor) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	l.writer, l.alive = writer, alive
	l.term++
	return l.term
}

// end waits for a write under way, which the term's context cuts short, and lets go of the writer. Called again it does nothing.
func (l *schemaLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

func (l *schemaLog) drop() {
	if l.writer != nil {
		l.writer.Close()
		l.writer = nil
	}
}

// Append implements registry.Log. After a failure a single instance opens the transactional id anew, which decides what became of the write; an
// elected one gives its term up, and the next owner of the partition decides.
func (l *schemaLog) Append(ctx context.Context, term int64, records []registry.Record) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if term != l.term || l.writer == nil && l.seat != nil {
		return 0, fmt.Errorf("append to schema log: %w: term %d is over", registry.ErrNotLeader, term)
	}
	if l.writer == nil {
		if err := l.reopen(ctx); err != nil {
			return 0, err
		}
	}
	if l.alive != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.alive, cancel)()
	}
	last, err := l.write(ctx, records)
	if err == nil {
		return last, nil
	}
	return 0, fmt.Errorf("append to schema log: %w", l.failed(err))
}

func (l *schemaLog) failed(err error) error {
	l.drop()
	if l.seat != nil {
		l.seat.resign()
	}
	if errors.Is(err, kafka.ErrFenced) {
		l.fenced = l.seat == nil
		return fmt.Errorf("%w: another instance has opened it", registry.ErrNotLeader)
	}
	return err
}

func (l *schemaLog) write(ctx context.Context, records []registry.Record) (int64, error) {
	if err := l.writer.Begin(); err != nil {
		return 0, err
	}
	sent := make([]*kafka.Record, len(records))
	for i, r := range records {
		sent[i] = &kafka.Record{Topic: l.topic, Partition: 0, Key: r.Key, Value: r.Value, Headers: l.headers(r.Key)}
		l.writer.Produce(ctx, sent[i], nil)
	}
	if err := l.writer.Commit(ctx); err != nil {
		return 0, err
	}
	last := int64(-1)
	for _, r := range sent {
		last = max(last, r.Offset)
	}
	return last, nil
}

// leaderHeader is how the other instances learn where the leader is: a header of the NOOP that begins each term. Registries of another make read
// NOOPs and no headers; a NOOP of theirs, which has none, says that the leader is not one of us.
const leaderHeader = "stripeline-leader"

func (l *schemaLog) headers(key []byte) []kafka.Header {
	if l.seat == nil || !bytes.Equal(key, registry.NoopKey()) {
		return nil
	}
	return []kafka.Header{{Key: leaderHeader, Value: []byte(l.seat.address)}}
}

// learn takes the leader's address from a record.
func (l *schemaLog) learn(r *kafka.Record) {
	if l.seat == nil || !bytes.Equal(r.Key, registry.NoopKey()) {
		return
	}
	address := ""
	for _, h := range r.Headers {
		if h.Key == leaderHeader {
			address = string(h.Value)
		}
	}
	l.seat.heard(address)
}

// Follow implements registry.Log. It calls apply for every poll that brought anything, also where that was only the marker of a transaction.
func (l *schemaLog) Follow(ctx context.Context, apply func([]registry.Record, int64) error) error {
	reader, err := l.cluster.NewReader(kafka.ReaderConfig{Name: "registry", Topic: l.topic, Offsets: map[int32]int64{0: kafka.Start}})
	if err != nil {
		return fmt.Errorf("follow schema log: %w", err)
	}
	defer reader.Close()
	for {
		polled, err := reader.Poll(ctx)
		if err != nil {
			return fmt.Errorf("follow schema log: %w", err)
		}
		records := make([]registry.Record, len(polled))
		for i, r := range polled {
			records[i] = registry.Record{Offset: r.Offset, Key: r.Key, Value: r.Value}
			l.learn(r)
		}
		if err := apply(records, reader.Position(0)); err != nil {
			return err
		}
	}
}

// End implements registry.Log.
func (l *schemaLog) End(ctx context.Context) (int64, error) {
	starts, ends, err := l.cluster.Ends(ctx, l.topic)
	if err != nil {
		return 0, err
	}
	if ends[0] == starts[0] {
		return 0, nil
	}
	return ends[0], nil
}
