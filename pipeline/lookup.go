package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"stripeline/pipeline/kafka"
	"stripeline/processors/mapping"
	"stripeline/schemas"
	"stripeline/schemas/rowshape"
)

// lookupTable is a compacted topic in memory: the latest value of each key. It is read to its end before it is asked, and followed from then on.
type lookupTable struct {
	name      string // in the mapping file
	topic     string
	schema    RowSchema
	shape     *rowshape.Shape
	resolvers *resolvers
	log       *slog.Logger
	reader    *kafka.Reader

	mu   sync.RWMutex
	rows map[string]map[string]any
}

// bindLookups finds the schemas of the tables that a mapping file names, and makes the tables, empty.
func (t *Transform) bindLookups(ctx context.Context, file *mapping.File) ([]*lookupTable, error) {
	var tables []*lookupTable
	for _, l := range file.Lookups() {
		schema, err := Pin{Subject: ValueSubject(l.Topic)}.find(ctx, t.Registry)
		if err != nil {
			return nil, fmt.Errorf("lookup %s: %w", l.Name, err)
		}
		shape, err := rowshape.Parse(schema.Text)
		if err != nil {
			return nil, fmt.Errorf("lookup %s: schema %s: %w", l.Name, schema.Subject, err)
		}
		table := &lookupTable{name: l.Name, topic: l.Topic, schema: schema, shape: shape, rows: map[string]map[string]any{}}
		table.resolvers = &resolvers{ctx: ctx, registry: t.Registry, reader: schema, byID: map[int]func([]byte) ([]byte, error){}}
		l.Shape, l.Find = shape, table.find
		tables = append(tables, table)
	}
	return tables, nil
}

// find gives the value of a key, nil when there is none.
func (t *lookupTable) find(key string) map[string]any {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rows[key]
}

// load reads the topic to the end that it has now.
func (t *lookupTable) load(ctx context.Context, cluster *kafka.Cluster) error {
	t.log = cluster.Logger()
	starts, ends, err := cluster.Ends(ctx, t.topic)
	if err != nil {
		return fmt.Errorf("read lookup: %w", err)
	}
	from := map[int32]int64{}
	for p, at := range starts {
		from[int32(p)] = at
	}
	if t.reader, err = cluster.NewReader(kafka.ReaderConfig{Name: "lookup", Topic: t.topic, Offsets: from}); err != nil {
		return fmt.Errorf("read lookup: %w", err)
	}
	for !reached(t.reader, from, ends) {
		if err := t.poll(ctx); err != nil {
			t.reader.Close()
			return fmt.Errorf("read lookup: %w", err)
		}
	}
	return nil
}

// follow takes later changes until ctx ends.
func (t *lookupTable) follow(ctx context.Context) {
	defer t.reader.Close()
	for ctx.Err() == nil {
		if err := t.poll(ctx); err != nil && ctx.Err() == nil {
			t.log.Error("lookup is followed no more", "topic", t.topic, "error", err)
			return
		}
	}
}

func (t *lookupTable) poll(ctx context.Context) error {
	records, err := t.reader.Poll(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := t.take(r); err != nil {
			return err
		}
	}
	return nil
}

// take keeps a value. One that cannot be read counts as none, and the log says so.
func (t *lookupTable) take(r *kafka.Record) error {
	row, err := t.row(r)
	if _, rejected := schemas.AsReject(err); err != nil && !rejected {
		return err
	}
	if err != nil {
		t.log.Warn("value of a lookup cannot be read", "topic", t.topic, "partition", r.Partition, "offset", r.Offset, "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if row == nil {
		delete(t.rows, string(r.Key))
		return nil
	}
	t.rows[string(r.Key)] = row
	return nil
}

func (t *lookupTable) row(r *kafka.Record) (map[string]any, error) {
	if r.Value == nil {
		return nil, nil
	}
	id, payload, ok := framed(r.Value)
	if !ok {
		return nil, schemas.Reject("framing", "value has no five-byte registry header")
	}
	if id != t.schema.ID {
		var err error
		if payload, err = t.resolvers.resolve(id, payload); err != nil {
			return nil, err
		}
	}
	v, err := t.shape.Value(payload)
	if err != nil {
		return nil, schemas.Reject("avro", err.Error())
	}
	row, _ := v.(map[string]any)
	return row, nil
}

// Tables gives how many lookups the plan keeps in memory.
func (p *TransformPlan) Tables() int { return len(p.tables) }

// load reads the plan's lookups.
func (p *TransformPlan) load(ctx context.Context, cluster *kafka.Cluster) error {
	for i, table := range p.tables {
		if err := table.load(ctx, cluster); err != nil {
			for _, loaded := range p.tables[:i] {
				loaded.reader.Close()
			}
			if errors.Is(err, kafka.ErrUnknownTopic) {
				return fmt.Errorf("%w: create it with 'stripeline topic create %s --set cleanup.policy=compact'", err, table.topic)
			}
			return err
		}
	}
	return nil
}

// follow follows the plan's lookups until the function that it gives is called.
func (p *TransformPlan) follow(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	for _, table := range p.tables {
		following.Go(func() { table.follow(ctx) })
	}
	return func() {
		cancel()
		following.Wait()
	}
}
