package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

// SchemasTopic is where every schema registry of the Confluent kind keeps its state; the namespace does not prefix it.
const SchemasTopic = "_schemas"

// ensureSchemasTopic makes _schemas, or refuses one that a registry cannot live on.
func ensureSchemasTopic(ctx context.Context, cluster *kafka.Cluster) error {
	err := cluster.Create(ctx, kafka.Topic{Name: SchemasTopic, Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
	if err != nil && !kafka.IsExists(err) {
		return err
	}
	return cluster.Ensure(ctx, kafka.Topic{Name: SchemasTopic, Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
}

// schemaLog is registry.Log on the topic _schemas. Records are written in transactions: all of an Append or none, and a registry that opens
// the log fences the one before it.
type schemaLog struct {
	cluster *kafka.Cluster
	id      string // transactional id

	mu     sync.Mutex
	writer *kafka.Transactor
	fenced bool
}

func newSchemaLog(cluster *kafka.Cluster) *schemaLog {
	return &schemaLog{cluster: cluster, id: cluster.Name("registry")}
}

// open takes the transactional id, which fences whoever had it and ends what they left unfinished. It is called at the start, so that a
// registry started later wins over one started earlier, and after a write whose outcome is unknown.
func (l *schemaLog) open(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reopen(ctx)
}

func (l *schemaLog) reopen(ctx context.Context) error {
	if l.fenced {
		return registry.ErrNotLeader
	}
	if l.writer != nil {
		l.writer.Close()
		l.writer = nil
	}
	writer, err := l.cluster.NewTransactor(ctx, l.id, SchemasTopic)
	if err != nil {
		return fmt.Errorf("open schema log: %w", err)
	}
	l.writer = writer
	return nil
}

// Append implements registry.Log. Opening the transactional id anew decides what became of a write that failed.
func (l *schemaLog) Append(ctx context.Context, _ int64, records []registry.Record) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writer == nil {
		if err := l.reopen(ctx); err != nil {
			return 0, err
		}
	}
	last, err := l.write(ctx, records)
	if err == nil {
		return last, nil
	}
	l.writer.Close()
	l.writer = nil
	if errors.Is(err, kafka.ErrFenced) {
		l.fenced = true
		return 0, fmt.Errorf("append to schema log: %w: another registry has opened it", registry.ErrNotLeader)
	}
	return 0, fmt.Errorf("append to schema log: %w", err)
}

func (l *schemaLog) write(ctx context.Context, records []registry.Record) (int64, error) {
	if err := l.writer.Begin(); err != nil {
		return 0, err
	}
	sent := make([]*kafka.Record, len(records))
	for i, r := range records {
		sent[i] = &kafka.Record{Topic: SchemasTopic, Partition: 0, Key: r.Key, Value: r.Value}
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

// Follow implements registry.Log.
func (l *schemaLog) Follow(ctx context.Context, apply func([]registry.Record, int64) error) error {
	reader, err := l.cluster.NewReader(kafka.ReaderConfig{Name: "registry", Topic: SchemasTopic, Offsets: map[int32]int64{0: kafka.Start}})
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
		}
		if err := apply(records, reader.Position(0)); err != nil {
			return err
		}
	}
}

// End implements registry.Log.
func (l *schemaLog) End(ctx context.Context) (int64, error) {
	starts, ends, err := l.cluster.Ends(ctx, SchemasTopic)
	if err != nil {
		return 0, err
	}
	if ends[0] == starts[0] {
		return 0, nil
	}
	return ends[0], nil
}

func (l *schemaLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writer != nil {
		l.writer.Close()
		l.writer = nil
	}
}
