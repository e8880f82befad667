package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/processors/conform"
	"stripeline/producers/csvfile"
	"stripeline/producers/textfile"
	"stripeline/schemas/rowplan"
)

// CSVOptions say how separated values are cut into cells.
type CSVOptions = csvfile.Options

// ErrCSVOptions says that options contradict each other.
var ErrCSVOptions = csvfile.ErrOptions

// NoQuote as CSVOptions.Quote means that nothing quotes.
const NoQuote = csvfile.None

// ErrNoColumn says that a column that was asked for is not in the header.
var ErrNoColumn = errors.New("column is not in the header")

// ProduceCSV is the journey from separated values to Avro records on a topic: each row typed by a schema of the registry, rows that do not fit
// put aside on <topic>.rejects with their original bytes.
type ProduceCSV struct {
	Production
	Registry   Subjects
	Writer     SubjectWriter // nil: nothing is registered, and nobody is asked for the subject of Pin.ID
	Pin        Pin           // the zero Pin is the latest version of <topic>-value
	Register   *SchemaFile   // instead of a version: registered under Pin.Subject before the first record unless it is there; nil: never
	Key        []string      // columns; none: no key
	AvroKey    *AvroKey      // what the key's columns become; nil: text
	CSV        CSVOptions
	Cells      rowplan.Options
	Provenance bool // headers file and line on every record
}

// csvInput is one file whose header fits the schema.
type csvInput struct {
	name   string
	source *csvfile.Source // nil until it is opened again
	shape  conform.Shape
	stage  func(rowplan.Row, func(conform.Record)) error
}

// csvRun is one Run or Try.
type csvRun struct {
	*ProduceCSV
	*rowRun
	keySchema RowSchema // of Avro keys
	inputs    []csvInput
}

// Run sends every row. The summary is right also with an error; when ctx ends, what was sent before is still confirmed.
func (p *ProduceCSV) Run(ctx context.Context) (RowSummary, error) {
	r := &csvRun{ProduceCSV: p, rowRun: newRowRun(p.Production, "produce csv")}
	defer r.close()
	err := r.lookAt(ctx)
	if err == nil {
		err = r.open(ctx)
	}
	if err == nil {
		err = r.register(ctx)
	}
	if err == nil {
		err = r.run(ctx, r.work())
	}
	return r.summary(err), err
}

// work sends the files that were looked at, or those of the watched directory.
func (r *csvRun) work() func(reading, sending context.Context) error {
	if r.rowRun.Watch.Dir == "" {
		return r.each(len(r.inputs), r.sendFile)
	}
	return r.watch(func(reading, sending context.Context, name string) error {
		if err := r.findLatest(reading); err != nil {
			return err
		}
		r.inputs = []csvInput{{name: name}}
		return r.sendFile(reading, sending, 0)
	})
}

// lookAt finds the schemas and checks the header of every file against them, before the first record.
func (r *csvRun) lookAt(ctx context.Context) error {
	if err := r.findSchemas(ctx); err != nil {
		return err
	}
	names, err := csvfile.Expand(r.rowRun.Files)
	if err != nil {
		return err
	}
	for i, name := range names {
		in, err := r.input(ctx, name)
		if err != nil {
			return err
		}
		if i > 0 && !textfile.Once(name) {
			in.source.Close()
			in.source = nil
		}
		r.inputs = append(r.inputs, in)
	}
	return nil
}

// input opens a file and compiles its header against the schema.
func (r *csvRun) input(ctx context.Context, name string) (csvInput, error) {
	in := csvInput{name: name}
	source, err := csvfile.Open(ctx, name, r.CSV)
	if err != nil {
		return in, err
	}
	in.source = source
	in.shape = conform.Shape{SchemaID: uint32(r.schema.ID), Provenance: r.Provenance}
	in.shape.Plan, err = rowplan.Compile(r.schema.Text, source.Header(), r.Cells)
	if err != nil {
		err = fmt.Errorf("%s against %s: %w", name, r.schema.Place(), err)
	} else if in.shape.Key, err = r.keyOf(source.Header()); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		source.Close()
		return in, err
	}
	in.stage = conform.Stage(in.shape)
	return in, nil
}

// reopen opens a file whose header was looked at before.
func (r *csvRun) reopen(ctx context.Context, in *csvInput) error {
	if in.source != nil {
		return nil
	}
	again, err := r.input(ctx, in.name)
	if err == nil {
		*in = again
	}
	return err
}

func (r *csvRun) sendFile(reading, sending context.Context, i int) error {
	in := &r.inputs[i]
	open := func(ctx context.Context) (stream, error) {
		if err := r.reopen(ctx, in); err != nil {
			return stream{}, err
		}
		r.rejects.reading(r.ProduceCSV, in)
		source := in.source
		in.source = nil // opened again for another try
		place := func() place { return place{source.Position(), source.Counts().Blank} }
		return stream{source: source, stage: in.stage, key: in.key, place: place, resume: source.Resume}, nil
	}
	return r.sendText(reading, sending, text{in.name, open})
}

// key is the key of a reject, nil where it cannot be computed.
func (in *csvInput) key(row rowplan.Row) []byte {
	key, keyed, err := in.shape.AppendKey(nil, row)
	if err != nil || !keyed {
		return nil
	}
	return key
}

func (r *csvRun) close() {
	for _, in := range r.inputs {
		if in.source != nil {
			in.source.Close()
		}
	}
	r.rowRun.close()
}
