package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"stripeline/pipeline/kafka"
	"stripeline/processors/conform"
	"stripeline/producers/csvfile"
	"stripeline/schemas"
)

// ErrNoColumns says that nobody knows the columns of a reject.
var ErrNoColumns = errors.New("columns of the reject are not known")

// RowTyping types rejected rows as ProduceCSV would: p's schema, options, key and cells. The columns are p.CSV.Columns, or what the reject says.
func (p *ProduceCSV) RowTyping(ctx context.Context) (Typing, error) {
	pin := p.Pin
	if pin.Subject == "" {
		pin.Subject = ValueSubject(p.Topic)
	}
	schema, err := pin.find(ctx, p.Registry)
	if err != nil {
		return nil, err
	}
	t := &rowTyping{ProduceCSV: p, run: &csvRun{ProduceCSV: p, rowRun: &rowRun{Production: p.Production, schema: schema}}}
	return t.record, nil
}

type rowTyping struct {
	*ProduceCSV
	run *csvRun
}

func (t *rowTyping) record(ctx context.Context, x Reject) (*kafka.Record, error) {
	if whole := x.Facts[headerCut]; whole != "" {
		return nil, schemas.Reject("truncated", fmt.Sprintf("only %d of the row's %s bytes were kept: produce it from its file", len(x.Value), whole))
	}
	options := t.CSV
	if names := x.Facts[headerColumns]; options.Columns == nil && names != "" {
		_ = json.Unmarshal([]byte(names), &options.Columns)
	}
	if options.Columns == nil {
		return nil, fmt.Errorf("%s partition %d offset %d: %w: name them with --columns", x.Topic, x.Partition, x.Offset, ErrNoColumns)
	}
	options.Stdin = bytes.NewReader(append(bytes.Clone(x.Value), '\n'))
	in, err := t.input(ctx, options)
	if err != nil {
		return nil, err
	}
	defer in.source.Close()
	row, err := in.source.Next(ctx)
	if errors.Is(err, io.EOF) {
		return nil, schemas.Reject("split", "the bytes hold no row")
	}
	if err != nil {
		return nil, err
	}
	row.File = x.Facts[headerFile]
	row.Line, _ = strconv.ParseInt(x.Facts[headerLine], 10, 64)
	var made conform.Record
	if err := in.stage(row, func(r conform.Record) { made = r }); err != nil {
		return nil, err
	}
	if _, err := in.source.Next(ctx); !errors.Is(err, io.EOF) {
		return nil, schemas.Reject("split", "the bytes hold more than one row")
	}
	record := &kafka.Record{Topic: t.Topic, Key: made.Key, Value: made.Value}
	for _, h := range made.Headers {
		record.Headers = append(record.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return record, nil
}

// input compiles the columns against the schema.
func (t *rowTyping) input(ctx context.Context, options csvfile.Options) (csvInput, error) {
	journey := *t.ProduceCSV
	journey.CSV = options
	return (&csvRun{ProduceCSV: &journey, rowRun: t.run.rowRun}).input(ctx, "-")
}

// MapTyping maps rejected records of a topic as Transform would.
func (t *Transform) MapTyping(ctx context.Context) (Typing, error) {
	plan, err := t.ready(ctx)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, plan.follow(ctx))
	return func(_ context.Context, x Reject) (*kafka.Record, error) {
		var made *kafka.Record
		err := plan.stage(&kafka.Record{Topic: t.From, Key: x.Key, Value: x.Value}, t.To, func(r *kafka.Record) { made = r })
		return made, err
	}, nil
}
