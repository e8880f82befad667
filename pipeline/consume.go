package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"stripeline/consumers/table"
	"stripeline/pipeline/kafka"
)

// PrintOptions say how consumed records are printed.
type PrintOptions = table.Options

// PrintFormat reads the name of a format.
func PrintFormat(name string) (table.Format, error) {
	format := table.Format(name)
	_, err := table.New(io.Discard, table.Options{Format: format})
	return format, err
}

// Place is where reading begins. The zero Place is the beginning, or the commit of a group.
type Place struct {
	Kind   PlaceKind
	Offset int64     // of PlaceOffset, in every partition
	Time   time.Time // of PlaceTime
}

// PlaceKind is one way to name a place in a topic.
type PlaceKind string

// The kinds of places.
const (
	PlaceDefault   PlaceKind = ""
	PlaceBeginning PlaceKind = "beginning"
	PlaceEnd       PlaceKind = "end"
	PlaceOffset    PlaceKind = "offset"
	PlaceTime      PlaceKind = "time"
)

// ErrCommitExists says that a group has a commit, so that where to begin is decided already.
var ErrCommitExists = errors.New("group has committed already")

// ErrNoSuchOffset says that an offset lies behind the end of every partition.
var ErrNoSuchOffset = errors.New("offset is behind the end")

// Consume is the journey of records to the screen.
type Consume struct {
	Cluster  *kafka.Cluster
	Registry Subjects
	Topic    string
	Group    string // "": no group, to the ends seen at the start
	From     Place
	Reset    bool // From wins over the group's commit
	Follow   bool // without a group: go on at the end
	Limit    int64
	Print    PrintOptions
	Keys     KeyFormat // how keys are shown with Print.Meta
	Out      io.Writer

	walkers *walkers
	keys    keyReader
	printer *table.Printer
	printed int64
}

// each gives the records there are now to see, at most Limit.
func (c *Consume) each(ctx context.Context, see func(*kafka.Record) error) error {
	return c.read(ctx, func(records []*kafka.Record) error {
		for _, r := range records {
			if err := see(r); err != nil {
				return err
			}
			if c.printed++; c.printed == c.Limit {
				return errLimit
			}
		}
		return nil
	})
}

// errLimit ends reading when Limit records were printed.
var errLimit = errors.New("limit reached")

// Run prints records until there are no more to print, Limit is reached or ctx ends, and gives their number. In a group what was printed, and
// nothing else, is committed.
func (c *Consume) Run(ctx context.Context) (int64, error) {
	var err error
	if c.printer, err = table.New(c.Out, c.Print); err != nil {
		return 0, err
	}
	c.walkers = newWalkers(c.Registry)
	c.keys = keyReader{walkers: c.walkers, format: c.Keys}
	if _, _, err := c.Cluster.Identity(ctx, c.Topic); err != nil {
		return 0, err
	}
	if c.Group == "" {
		err = c.alone(ctx)
	} else {
		err = c.inGroup(ctx)
	}
	if flushErr := c.printer.Close(); err == nil || errors.Is(err, errLimit) {
		err = flushErr
	}
	return c.printed, err
}

// alone reads and prints without a group.
func (c *Consume) alone(ctx context.Context) error {
	return c.read(ctx, func(records []*kafka.Record) error {
		if err := c.print(ctx, records); err != nil || !c.Follow {
			return err
		}
		return c.printer.Flush(ctx, func(struct{}) {})
	})
}

// read gives batches of records from a place on, to the ends seen at the start or, with Follow, for ever.
func (c *Consume) read(ctx context.Context, see func([]*kafka.Record) error) error {
	_, ends, err := c.Cluster.Ends(ctx, c.Topic)
	if err != nil {
		return err
	}
	from, err := c.place(ctx)
	if err != nil {
		return err
	}
	if !c.Follow {
		for p, at := range from {
			if at >= ends[p] {
				delete(from, p)
			}
		}
		if len(from) == 0 {
			return nil
		}
	}
	reader, err := c.Cluster.NewReader(kafka.ReaderConfig{Name: "consume", Topic: c.Topic, Offsets: from})
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		batches, err := reader.Fetch(ctx)
		if err != nil {
			return err
		}
		for _, b := range batches {
			records := b.Records
			if !c.Follow {
				records = before(records, ends[b.Partition])
			}
			if err := see(records); err != nil {
				return err
			}
			if b.Err != nil {
				return b.Err
			}
		}
		if !c.Follow && reached(reader, from, ends) {
			return nil
		}
	}
}

// before cuts what lies at or behind an end.
func before(records []*kafka.Record, end int64) []*kafka.Record {
	for len(records) > 0 && records[len(records)-1].Offset >= end {
		records = records[:len(records)-1]
	}
	return records
}

func reached(reader *kafka.Reader, from map[int32]int64, ends []int64) bool {
	for p := range from {
		if reader.Position(p) < ends[p] {
			return false
		}
	}
	return true
}

// print decodes and prints records in order; errLimit when there were enough.
func (c *Consume) print(ctx context.Context, records []*kafka.Record) error {
	for _, r := range records {
		row, err := c.row(ctx, r)
		if err != nil {
			return fmt.Errorf("%s partition %d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
		}
		if err := c.printer.Put(ctx, row); err != nil {
			return err
		}
		if c.printed++; c.printed == c.Limit {
			return errLimit
		}
	}
	return nil
}

// row finds what reads a record's value and, where it is shown, its key.
func (c *Consume) row(ctx context.Context, r *kafka.Record) (row table.Record, err error) {
	row = table.Record{Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp, Key: r.Key, Value: r.Value}
	if c.Print.Format == table.Raw {
		return row, nil
	}
	if c.Print.Meta {
		if err := c.keys.read(ctx, &row); err != nil {
			return row, err
		}
	}
	id, payload, ok := framed(r.Value)
	if !ok {
		return row, nil
	}
	walker, err := c.walkers.find(ctx, id)
	if errors.Is(err, ErrUnknownSchema) && strings.HasSuffix(c.Topic, RejectsTopic("")) {
		return row, nil // the bytes of a reject are anything
	}
	row.Walker, row.Payload = walker, payload
	return row, err
}

// place gives the first offset of each partition.
func (c *Consume) place(ctx context.Context) (map[int32]int64, error) {
	starts, ends, err := c.Cluster.Ends(ctx, c.Topic)
	if err != nil {
		return nil, err
	}
	from := starts
	switch c.From.Kind {
	case PlaceEnd:
		from = ends
	case PlaceTime:
		if from, err = c.Cluster.OffsetsAt(ctx, c.Topic, c.From.Time); err != nil {
			return nil, err
		}
	}
	offsets := make(map[int32]int64, len(from))
	inside := false
	for p := range from {
		offsets[int32(p)] = from[p]
		if c.From.Kind == PlaceOffset {
			offsets[int32(p)] = min(max(c.From.Offset, starts[p]), ends[p])
			inside = inside || c.From.Offset <= ends[p]
		}
	}
	if c.From.Kind == PlaceOffset && !inside {
		return nil, fmt.Errorf("offset %d of %s: %w of every partition: ask 'stripeline topic describe %s'", c.From.Offset, c.Topic, ErrNoSuchOffset, c.Topic)
	}
	return offsets, nil
}
