package pipeline

import (
	"bytes"
	"context"

	"stripeline/processors/conform"
	"stripeline/producers/csvfile"
	"stripeline/producers/linefile"
	"stripeline/schemas/rowplan"
)

// LineOptions say where lines end and how long they may be.
type LineOptions = linefile.Options

// ProduceLines is the journey from text to records, each line one record as it is, without a schema.
type ProduceLines struct {
	Production
	Lines        LineOptions
	KeySeparator string // what is before its first occurrence becomes the key; "": no key
}

// Run sends every line. The summary is right also with an error; when ctx ends, what was sent before is still confirmed.
func (p *ProduceLines) Run(ctx context.Context) (RowSummary, error) {
	r := newRowRun(p.Production, "produce lines")
	defer r.close()
	names, err := csvfile.Expand(p.Files)
	if err == nil {
		err = r.open(ctx)
	}
	if err == nil {
		err = r.run(ctx, p.work(r, names))
	}
	return r.summary(err), err
}

// work sends the files, or those of the watched directory.
func (p *ProduceLines) work(r *rowRun, names []string) func(reading, sending context.Context) error {
	if p.Watch.Dir == "" {
		return r.each(len(names), func(reading, sending context.Context, i int) error { return p.sendFile(reading, sending, r, names[i]) })
	}
	return r.watch(func(reading, sending context.Context, name string) error {
		return p.sendFile(reading, sending, r, name)
	})
}

func (p *ProduceLines) sendFile(reading, sending context.Context, r *rowRun, name string) error {
	open := func(ctx context.Context) (stream, error) {
		source, err := linefile.Open(ctx, name, p.Lines)
		if err != nil {
			return stream{}, err
		}
		key := func(rowplan.Row) []byte { return nil }
		at := func() place { return place{Position: source.Position()} }
		return stream{source: source, stage: p.line, key: key, place: at, resume: source.Resume}, nil
	}
	return r.sendText(reading, sending, text{name, open})
}

// line makes a record of a line.
func (p *ProduceLines) line(row rowplan.Row, emit func(conform.Record)) error {
	if row.Err != nil {
		return conform.Reason(row.Err)
	}
	if p.KeySeparator != "" {
		if key, value, ok := bytes.Cut(row.Raw, []byte(p.KeySeparator)); ok {
			emit(conform.Record{Key: bytes.Clone(key), Value: bytes.Clone(value)})
			return nil
		}
	}
	emit(conform.Record{Value: bytes.Clone(row.Raw)})
	return nil
}
