// Package logtest is in the schemas room: what every log under a schema registry must do, as a test to run on it, and a
// log in memory to test registries with.
package logtest

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"stripeline/schemas/registry"
)

// Memory is a log that lives as long as the process. As in Kafka, a term that has ended cannot write, compaction keeps the
// newest record of a key, and an append is followed by a marker that takes an offset but is no record.
type Memory struct {
	mu      sync.Mutex
	term    int64
	records []registry.Record
	end     int64
	grown   chan struct{}
}

// NewMemory returns an empty log in term 0.
func NewMemory() *Memory { return &Memory{grown: make(chan struct{})} }

// Elect ends the current term and returns the next.
func (m *Memory) Elect() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.term++
	return m.term
}

// Append implements registry.Log.
func (m *Memory) Append(ctx context.Context, term int64, records []registry.Record) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case term != m.term:
		return 0, registry.ErrNotLeader
	}
	for _, rec := range records {
		m.records = append(m.records, registry.Record{Offset: m.end, Key: bytes.Clone(rec.Key), Value: bytes.Clone(rec.Value)})
		m.end++
	}
	last := m.end - 1
	m.end++ // the marker
	close(m.grown)
	m.grown = make(chan struct{})
	return last, nil
}

// Follow implements registry.Log.
func (m *Memory) Follow(ctx context.Context, apply func([]registry.Record, int64) error) error {
	var next int64
	for {
		m.mu.Lock()
		from, _ := slices.BinarySearchFunc(m.records, next, func(r registry.Record, at int64) int { return int(r.Offset - at) })
		batch, end, grown := slices.Clone(m.records[from:]), m.end, m.grown
		m.mu.Unlock()
		if end > next {
			if err := apply(batch, end); err != nil {
				return err
			}
			next = end
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// End implements registry.Log.
func (m *Memory) End(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.end, nil
}

// Compact keeps the newest record of each key and drops tombstones, as Kafka's cleaner does in the end.
func (m *Memory) Compact() {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := map[string]int64{}
	for _, rec := range m.records {
		newest[string(rec.Key)] = rec.Offset
	}
	m.records = slices.DeleteFunc(m.records, func(rec registry.Record) bool {
		return rec.Value == nil || newest[string(rec.Key)] != rec.Offset
	})
}

// Records returns what the log holds.
func (m *Memory) Records() []registry.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records)
}
