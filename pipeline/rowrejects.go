package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// Headers of a reject that came from a file, beside those of flow.
const (
	headerFile     = "file"
	headerLine     = "line"
	headerByte     = "byte"
	headerSubject  = "subject"
	headerSchemaID = "schema-id"
	headerAttempt  = "attempt"
	headerTime     = "time"
	headerCut      = "truncated" // bytes of the row, of which the value is only the first part
)

// rowRejects files rows that cannot be typed: the original bytes as the value, the reason in headers, as many partitions as the topic has.
type rowRejects struct {
	cluster  *kafka.Cluster
	out      outlet
	topic    string
	verb     string
	schema   RowSchema
	form     []schemas.Header // how the rows of the text are typed, none where that is not known
	limit    int              // bytes of a value that the rejects topic takes
	room     int              // bytes of a record that it takes above limit
	batch    atomic.Int32     // bytes of a batch that it takes, 0 while unknown
	progress *RowProgress
	stop     func(error)

	filed int64 // by the reading goroutine, confirmed or not
	ready bool  // the topic is there
}

// prepare makes the rejects topic if there is none, until it has been made or found.
func (r *rowRejects) prepare(ctx context.Context) error {
	if r.ready {
		return nil
	}
	err := r.ensure(ctx)
	r.ready = err == nil
	return err
}

// reading says which text the next rejects come from, and how it is read.
func (r *rowRejects) reading(p *ProduceCSV, in *csvInput) {
	form := formOf(p, in.source.Header(), int(in.shape.Key.SchemaID))
	r.form = form.headers()
}

// file sends one reject. Its confirmation is counted; a failure stops the run.
func (r *rowRejects) file(ctx context.Context, row rowplan.Row, key []byte, why *schemas.Rejection) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	record := &kafka.Record{
		Topic: flow.RejectsTopic(r.topic), Key: key, Value: append([]byte{}, row.Raw...), Headers: r.headers(row, why),
	}
	if len(record.Value) > r.limit {
		record.Value = record.Value[:r.limit]
		record.Headers = append(record.Headers, kafka.Header{Key: headerCut, Value: strconv.AppendInt(nil, int64(len(row.Raw)), 10)})
	}
	r.out.Produce(ctx, record, func(sent *kafka.Record, err error) {
		if err != nil {
			r.stop(kafka.Explain(sent, err))
			return
		}
		r.progress.Rejects.Add(1)
	})
	return nil
}

func (r *rowRejects) headers(row rowplan.Row, why *schemas.Rejection) []kafka.Header {
	facts := [][2]string{
		{flow.HeaderCode, why.Code}, {flow.HeaderMessage, why.Message}, {headerFile, row.File},
		{headerLine, strconv.FormatInt(row.Line, 10)}, {headerByte, strconv.FormatInt(row.Offset, 10)},
		{headerSubject, r.schema.Subject}, {headerSchemaID, strconv.Itoa(r.schema.ID)}, {headerAttempt, "1"},
		{headerTime, time.Now().UTC().Format(time.RFC3339Nano)},
		{"__connect.errors.topic", r.topic}, {"__connect.errors.stage", "VALUE_CONVERTER"},
		{"__connect.errors.connector.name", "stripeline " + r.verb}, {"__connect.errors.exception.message", why.Message},
	}
	headers := make([]kafka.Header, 0, len(facts)+len(why.Headers)+len(r.form))
	for _, f := range facts {
		if f[0] != headerSubject || f[1] != "" { // nobody knows the subject of some schemas
			headers = append(headers, kafka.Header{Key: f[0], Value: []byte(f[1])})
		}
	}
	for _, h := range slices.Concat(r.formThatFits(), why.Headers) {
		headers = append(headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return headers
}

// formThatFits is the form, or nothing where it would leave no room for the reason: then a redrive has to be told the columns.
func (r *rowRejects) formThatFits() []schemas.Header {
	size := 0
	for _, h := range r.form {
		size += len(h.Key) + len(h.Value)
	}
	if size > r.room/2 {
		return nil
	}
	return r.form
}

// ensure makes the rejects topic if there is none, and looks how much it takes.
func (r *rowRejects) ensure(ctx context.Context) error {
	info, err := flow.EnsureRejects(ctx, r.cluster, r.topic)
	if err != nil {
		return fmt.Errorf("prepare rejects: %w", err)
	}
	r.limit = max(info.MaxMessageBytes-flow.RejectRoom, info.MaxMessageBytes/2)
	r.room = info.MaxMessageBytes - r.limit
	r.batch.Store(int32(min(info.MaxMessageBytes, largestBatch)))
	return nil
}
