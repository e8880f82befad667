package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"stripeline/consumers/rowfile"
	"stripeline/consumers/table"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// fileRun is one Run of ConsumeFiles.
type fileRun struct {
	*ConsumeFiles
	group   *kafka.Group
	walkers *walkers
	keys    keyReader
	rejects *fileRejects
	schemas map[int]rowfile.Schema
	scratch []byte // used again
	idle    int    // polls since the last record

	mu      sync.Mutex // between the loop and the group's callbacks
	parts   map[int32]*filePart
	summary FilesSummary
}

// filePart is one partition while it is ours.
type filePart struct {
	sink     *rowfile.Sink // nil while it could not be opened
	mark     kafka.Mark    // behind what is in complete files, or rejected before any
	moved    bool          // since the last commit
	resume   time.Time     // paused until then after a failure; zero when it is not
	attempts int
}

func newFileRun(c *ConsumeFiles) *fileRun {
	w := &fileRun{ConsumeFiles: c, walkers: newWalkers(c.Registry), schemas: map[int]rowfile.Schema{}, parts: map[int32]*filePart{}}
	w.keys = keyReader{walkers: w.walkers, format: c.Keys}
	w.rejects = &fileRejects{cluster: c.Cluster, topic: c.Topic, group: c.Group}
	w.summary.Group = c.Group
	return w
}

// take puts a batch. After a failure the partition waits, and begins again where its file began.
func (w *fileRun) take(ctx context.Context, b kafka.Batch) {
	p := w.parts[b.Partition]
	if p == nil {
		p = &filePart{}
		w.parts[b.Partition] = p
	}
	for _, r := range b.Records {
		if err := w.put(ctx, p, r); err != nil {
			w.wait(r, p, err)
			return
		}
	}
}

func (w *fileRun) put(ctx context.Context, p *filePart, r *kafka.Record) (err error) {
	if p.sink == nil {
		if p.sink, err = rowfile.Open(w.options(r)); err != nil {
			return err
		}
	}
	if r.Offset < p.sink.Next() && !p.sink.Busy() {
		p.mark, p.moved = kafka.Mark{Offset: p.sink.Next(), Epoch: -1}, true // the files are ahead of the commit
		return nil
	}
	row, err := w.row(ctx, r)
	if err == nil {
		err = p.sink.Put(ctx, row, func(f rowfile.File) { w.wrote(p, f) })
	}
	if why, ok := schemas.AsReject(err); ok {
		if err = w.rejects.file(ctx, r, why); err == nil {
			w.summary.Rejects++
			p.sink.Pass(r.Offset)
		}
	}
	if err != nil {
		return err
	}
	if !p.sink.Busy() { // a reject, with nothing before it that waits for its file
		p.mark, p.moved = kafka.Mark{Offset: r.Offset + 1, Epoch: r.LeaderEpoch}, true
	}
	if p.sink.Due(time.Now()) {
		return w.flush(ctx, p)
	}
	return nil
}

func (w *fileRun) options(first *kafka.Record) rowfile.Options {
	return rowfile.Options{
		Dir: w.Dir, Topic: w.Topic, Partition: first.Partition, From: first.Offset,
		Format: w.Format, Codec: w.Codec, Roll: w.Roll, Print: w.Print, Disk: w.Disk,
	}
}

// row finds the schema of a record. A record whose schema is unknown is a Reject.
func (w *fileRun) row(ctx context.Context, r *kafka.Record) (rowfile.Record, error) {
	row := rowfile.Record{Record: table.Record{
		Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp, Key: r.Key, Value: r.Value,
	}}
	if w.Print.Meta && w.Format != rowfile.Avro {
		if err := w.keys.read(ctx, &row.Record); err != nil {
			return row, unreadableKey(err)
		}
	}
	id, payload, ok := framed(r.Value)
	if !ok {
		return row, nil
	}
	walker, err := w.walkers.find(ctx, id)
	if errors.Is(err, ErrUnknownSchema) {
		return row, schemas.Reject("schema", err.Error())
	}
	if err != nil {
		return row, err
	}
	if w.schemas[id].ID == 0 {
		schema, err := w.Registry.ID(ctx, id)
		if err != nil {
			return row, err
		}
		w.schemas[id] = rowfile.Schema{ID: id, Text: schema.Text}
	}
	if w.Format == rowfile.Avro { // which takes the bytes as they are
		if w.scratch, err = walker.AppendJSON(w.scratch[:0], payload); err != nil {
			return row, schemas.Reject("avro", err.Error())
		}
	}
	row.Walker, row.Payload, row.Schema = walker, payload, w.schemas[id]
	return row, nil
}

// flush completes the file of a partition.
func (w *fileRun) flush(ctx context.Context, p *filePart) error {
	if p.sink == nil || !p.sink.Busy() {
		return nil
	}
	return p.sink.Flush(ctx, func(f rowfile.File) { w.wrote(p, f) })
}

func (w *fileRun) wrote(p *filePart, f rowfile.File) {
	p.mark, p.moved, p.attempts = kafka.Mark{Offset: f.Last + 1, Epoch: -1}, true, 0
	w.summary.Files++
	w.summary.Records += f.Rows
	w.summary.Bytes += f.Bytes
	if w.Wrote != nil {
		w.Wrote(f)
	}
}
