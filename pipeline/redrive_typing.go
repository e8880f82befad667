package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"stripeline/pipeline/kafka"
	"stripeline/processors/conform"
	"stripeline/producers/csvfile"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// codeTooLong is the code of a row of which its source kept only the first bytes.
const codeTooLong = "length"

// ErrNoColumns says that nobody knows the columns of a reject.
var ErrNoColumns = errors.New("columns of the reject are not known")

// ErrNoKeyColumns says that a row is to get an Avro key, and nobody knows of which columns.
var ErrNoKeyColumns = errors.New("columns of the reject's key are not known")

// KeysAgain says what becomes of the keys of rejected rows where ProduceCSV.AvroKey does not.
type KeysAgain byte

// What they may become.
const (
	KeysAsTheyWere KeysAgain = iota // plain, or Avro under the very schema that they had
	KeysPlain
)

// RowTyping types rejected rows as ProduceCSV would. Whatever of subject, columns, form, cells and key p leaves at zero is as it was when the row was
// rejected, the subject at its latest version; a reject that does not say its columns needs p.CSV.Columns.
func (p *ProduceCSV) RowTyping(keys KeysAgain) Typing {
	t := &rowTyping{ProduceCSV: p, keys: keys, forms: map[[4]string]*typedForm{}}
	return t.record
}

type rowTyping struct {
	*ProduceCSV
	keys  KeysAgain
	forms map[[4]string]*typedForm // by what the headers of a reject say
}

// typedForm types the rejects of one form.
type typedForm struct {
	csv   CSVOptions
	stage func(rowplan.Row, func(conform.Record)) error
	keyed bool             // the stage makes the key: otherwise it is the reject's
	facts []schemas.Header // of rejects that still do not fit
}

func (t *rowTyping) record(ctx context.Context, x Reject) (*kafka.Record, error) {
	if err := wholeRow(x); err != nil {
		return nil, err
	}
	form, err := t.form(ctx, x)
	if err != nil {
		return nil, fmt.Errorf("%s partition %d offset %d: %w", x.Topic, x.Partition, x.Offset, err)
	}
	made, err := form.read(ctx, x)
	if why, ok := schemas.AsReject(err); ok {
		return nil, schemas.Reject(why.Code, why.Message, append(form.facts[:len(form.facts):len(form.facts)], why.Headers...)...)
	}
	if err != nil {
		return nil, err
	}
	record := &kafka.Record{Topic: t.Topic, Key: made.Key, Value: made.Value}
	if !form.keyed {
		record.Key = x.Key
	}
	for _, h := range made.Headers {
		record.Headers = append(record.Headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return record, nil
}

// wholeRow says whether a reject holds all bytes of its row.
func wholeRow(x Reject) error {
	kept := fmt.Sprintf("only %d bytes of the row were kept", len(x.Value))
	if whole := x.Facts[headerCut]; whole != "" {
		return schemas.Reject("truncated", fmt.Sprintf("%s, of %s: produce it from its file", kept, whole))
	}
	if x.Code == codeTooLong {
		return schemas.Reject(codeTooLong, kept+": produce it from its file, with a higher --max-row")
	}
	return nil
}

// form compiles how a reject is read, once for all that were read alike.
func (t *rowTyping) form(ctx context.Context, x Reject) (*typedForm, error) {
	id := [4]string{x.Facts[headerColumns], x.Facts[headerTyping], x.Facts[headerSubject], x.Facts[headerSchemaID]}
	if known := t.forms[id]; known != nil {
		return known, nil
	}
	journey, err := t.journey(x)
	if err != nil {
		return nil, err
	}
	run := &csvRun{ProduceCSV: &journey, rowRun: &rowRun{Production: journey.Production}}
	if err := run.findSchemas(ctx); err != nil {
		return nil, err
	}
	in, err := run.input(ctx, "-")
	if err != nil {
		return nil, err
	}
	in.source.Close()
	if run.schema.Subject == "" {
		run.schema.Subject = run.subjectOfID(ctx)
	}
	used := formOf(&journey, journey.CSV.Columns, run.keySchema.ID)
	made := &typedForm{csv: journey.CSV, stage: in.stage, keyed: len(journey.Key) > 0, facts: append(used.headers(), schemaFacts(run.schema)...)}
	t.forms[id] = made
	return made, nil
}

// journey is the one that rows as that of a reject are typed by.
func (t *rowTyping) journey(x Reject) (ProduceCSV, error) {
	said, err := readForm(x.Facts)
	if err != nil {
		return ProduceCSV{}, err
	}
	if t.keys == KeysPlain {
		said.KeySchema = 0
	}
	journey := said.fill(*t.ProduceCSV)
	if journey.CSV.Columns == nil {
		return journey, fmt.Errorf("%w: it was written before rejects said them, or they are very many: name them with --columns", ErrNoColumns)
	}
	if journey.AvroKey != nil && len(journey.Key) == 0 {
		return journey, fmt.Errorf("%w: it was produced without a key: name them with --key", ErrNoKeyColumns)
	}
	pinAsItWas(&journey.Pin, x)
	journey.CSV.Follow = false
	journey.CSV.Stdin = bytes.NewReader(nil)
	return journey, nil
}

// pinAsItWas chooses the subject that typed the row, or its schema where that was pinned by an id alone.
func pinAsItWas(pin *Pin, x Reject) {
	if pin.Subject != "" || pin.ID != 0 {
		return
	}
	if pin.Subject = x.Facts[headerSubject]; pin.Subject == "" && pin.Version == 0 {
		pin.ID, _ = strconv.Atoi(x.Facts[headerSchemaID])
	}
}

func schemaFacts(s RowSchema) []schemas.Header {
	return []schemas.Header{{Key: headerSubject, Value: []byte(s.Subject)}, {Key: headerSchemaID, Value: strconv.AppendInt(nil, int64(s.ID), 10)}}
}

// read types the bytes of a reject.
func (f *typedForm) read(ctx context.Context, x Reject) (made conform.Record, err error) {
	options := f.csv
	options.MaxRow = max(options.MaxRow, len(x.Value))
	text := append(append([]byte{'\n'}, x.Value...), '\n') // a blank line first: the row's first bytes do not say what kind of file it is
	options.Stdin = bytes.NewReader(text)
	source, err := csvfile.Open(ctx, "-", options)
	if err != nil {
		return made, err
	}
	defer source.Close()
	row, err := source.Next(ctx)
	if errors.Is(err, io.EOF) {
		return made, schemas.Reject("split", "the bytes hold no row")
	}
	if err != nil {
		return made, err
	}
	row.File = x.Facts[headerFile]
	row.Line, _ = strconv.ParseInt(x.Facts[headerLine], 10, 64)
	if err := f.stage(row, func(r conform.Record) { made = r }); err != nil {
		return made, err
	}
	if _, err := source.Next(ctx); !errors.Is(err, io.EOF) {
		return made, schemas.Reject("split", "the bytes hold more than one row")
	}
	return made, nil
}

// LinkName is what rejects of the transform say of the link that put them aside.
func (t *Transform) LinkName() string { return "transform." + t.From + "." + t.To }

// MapTyping maps rejected records of a topic as Transform would.
func (t *Transform) MapTyping(ctx context.Context) (Typing, error) {
	plan, err := t.ready(ctx)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, plan.follow(ctx))
	return func(_ context.Context, x Reject) (*kafka.Record, error) {
		var made *kafka.Record
		err := plan.stage(&kafka.Record{Topic: t.From, Key: x.Key, Value: x.Value, Headers: x.own}, t.To, func(r *kafka.Record) { made = r })
		return made, err
	}, nil
}
