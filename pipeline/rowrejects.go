package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
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
	headerColumns  = "columns"   // of the text, a JSON array: what a redrive types the bytes by
	headerCut      = "truncated" // bytes of the row, of which the value is only the first part
)

// rowRejects files rows that cannot be typed: the original bytes as the value, the reason in headers, as many partitions as the topic has.
type rowRejects struct {
	cluster  *kafka.Cluster
	out      outlet
	topic    string
	verb     string
	schema   RowSchema
	columns  []string     // of the text that the rows come from, nil where they are not known
	limit    int          // bytes of a value that the rejects topic takes
	batch    atomic.Int32 // bytes of a batch that it takes, 0 while unknown
	progress *RowProgress
	stop     func(error)

	filed int64 // by the reading goroutine, confirmed or not
	once  sync.Once
	err   error
}

// prepare makes the rejects topic if there is none, the first time that it is called.
func (r *rowRejects) prepare(ctx context.Context) error {
	r.once.Do(func() { r.err = r.ensure(ctx) })
	return r.err
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
	r.out.Produce(ctx, record, func(_ *kafka.Record, err error) {
		if err != nil {
			r.stop(err)
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
	headers := make([]kafka.Header, 0, len(facts)+len(why.Headers)+1)
	for _, f := range facts {
		headers = append(headers, kafka.Header{Key: f[0], Value: []byte(f[1])})
	}
	if r.columns != nil {
		names, _ := json.Marshal(r.columns)
		headers = append(headers, kafka.Header{Key: headerColumns, Value: names})
	}
	for _, h := range why.Headers {
		headers = append(headers, kafka.Header{Key: h.Key, Value: h.Value})
	}
	return headers
}

// rejectRoom is how much larger a reject's record may be than the records of its topic, for the reason in its headers.
const rejectRoom = 64 << 10

// ensure makes the rejects topic if there is none.
func (r *rowRejects) ensure(ctx context.Context) error {
	name := flow.RejectsTopic(r.topic)
	info, err := r.cluster.Identify(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("prepare rejects: %w", err)
	}
	existing, err := r.cluster.Identify(ctx, name)
	if err == nil {
		r.limit = max(existing.MaxMessageBytes-rejectRoom, existing.MaxMessageBytes/2)
		r.batch.Store(int32(min(existing.MaxMessageBytes, largestBatch)))
		return nil
	}
	size := max(info.MaxMessageBytes, 1<<20) + 2*rejectRoom
	r.limit = size - rejectRoom
	r.batch.Store(int32(min(size, largestBatch)))
	err = r.cluster.Ensure(ctx, kafka.Topic{Name: name, Partitions: int32(info.Partitions), Configs: map[string]string{
		kafka.CleanupPolicy: "delete", kafka.RetentionMS: "-1", kafka.MaxMessageBytes: strconv.Itoa(size),
	}})
	if err != nil {
		return fmt.Errorf("prepare rejects: %w", err)
	}
	return nil
}
