package rowfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"stripeline/consumers/durable"
	"stripeline/consumers/table"
	"stripeline/schemas"
)

// Roll says when a file is complete: at the first bound reached. A bound of 0 is none.
type Roll struct {
	Size int64 // bytes written, give or take a block
	Rows int64
	Age  time.Duration // since its first record was put
}

// Options say what a sink writes and where.
type Options struct {
	Dir       string
	Topic     string
	Partition int32
	Format    Format
	Codec     string // of Avro files, "" is container.DefaultCodec
	Roll      Roll
	Print     table.Options // of JSON and CSV files
	From      int64         // offset of the first record that will be put, where no file says more
	Disk      *durable.Disk // nil: the plain way
}

// File is a complete file.
type File struct {
	Span
	Path  string
	Rows  int64
	Bytes int64
}

// Sink writes one partition. It holds the partition's lock until Close. It is for one goroutine.
type Sink struct {
	options Options
	lock    *durable.Lock
	next    int64 // of the next record to be taken

	file   *durable.File // nil: none is begun
	body   body
	first  int64
	last   int64
	rows   int64
	schema Schema
	begun  time.Time
}

// Open takes the partition's lock, removes what is half-written, makes the names that it sees durable and finds where to go on. While another process writes the partition the error
// wraps durable.ErrLocked.
func Open(o Options) (*Sink, error) {
	if o.Disk == nil {
		o.Disk = &durable.Disk{}
	}
	path := filepath.Join(o.Dir, prefix(o.Topic, o.Partition)+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open partition %d: %w", o.Partition, err)
	}
	_ = f.Close()
	lock, _, err := durable.Acquire(path)
	if err != nil {
		return nil, fmt.Errorf("open partition %d: %w", o.Partition, err)
	}
	s := &Sink{options: o, lock: lock}
	var halves []string
	s.next, halves, err = next(o.Dir, o.Topic, o.Partition)
	for _, name := range halves {
		if err == nil {
			err = o.Disk.Remove(filepath.Join(o.Dir, name))
		}
	}
	if err == nil {
		err = o.Disk.SyncDir(o.Dir) // a name that was seen may have been given a moment before a failure
	}
	if err != nil {
		_ = lock.Release()
		return nil, fmt.Errorf("open partition %d: %w", o.Partition, err)
	}
	s.next = max(s.next, o.From)
	return s, nil
}

// Next gives the offset of the first record that is not in a file yet, complete or not; Put passes over those before it. After an error of Put or
// Flush, Next is where the file being written began. Close the sink then, open another and put again what came from there on: only the directory
// knows whether the file is complete.
func (s *Sink) Next() int64 { return s.next }

// Busy says whether a file is being written.
func (s *Sink) Busy() bool { return s.file != nil }

// Put takes the next record, of which nothing is kept. A record that the format cannot hold is a schemas.Reject: Pass it. One that does not go into
// the file being written (another schema) completes that first: emit is told.
func (s *Sink) Put(ctx context.Context, r Record, emit func(File)) error {
	if r.Offset < s.next {
		return nil
	}
	if s.options.Format == Avro && r.Schema.ID == 0 {
		return schemas.Reject("framing", fmt.Sprintf("value of %d bytes has no schema: an Avro file cannot hold it", len(r.Value)))
	}
	if s.file != nil && s.options.Format != JSON && s.schema.ID != r.Schema.ID {
		if err := s.Flush(ctx, emit); err != nil {
			return err
		}
	}
	if s.file == nil {
		if err := s.begin(&r); err != nil {
			return err
		}
	}
	if err := s.body.add(&r); err != nil {
		s.discard()
		return fmt.Errorf("write partition %d offset %d: %w", r.Partition, r.Offset, err)
	}
	s.rows++
	s.Pass(r.Offset)
	return nil
}

// Pass goes on behind a record that is in no file.
func (s *Sink) Pass(offset int64) { s.last, s.next = offset, offset+1 }

func (s *Sink) begin(r *Record) error {
	o := s.options
	file, err := o.Disk.Create(filepath.Join(o.Dir, partName(o.Topic, o.Partition, r.Offset)))
	if err != nil {
		return fmt.Errorf("begin file: %w", err)
	}
	body, err := o.body(file, r)
	if err != nil {
		file.Discard()
		return fmt.Errorf("begin file: %w", err)
	}
	s.file, s.body, s.first, s.rows, s.schema, s.begun = file, body, r.Offset, 0, r.Schema, time.Now()
	return nil
}

// Due says whether the file being written is complete.
func (s *Sink) Due(now time.Time) bool {
	if s.file == nil {
		return false
	}
	b := s.options.Roll
	return b.Size > 0 && s.body.size() >= b.Size || b.Rows > 0 && s.rows >= b.Rows || b.Age > 0 && now.Sub(s.begun) >= b.Age
}

// Flush completes the file being written, gives it its final name and tells emit. It does nothing when there is none.
func (s *Sink) Flush(_ context.Context, emit func(File)) error {
	if s.file == nil {
		return nil
	}
	span := Span{s.options.Topic, s.options.Partition, s.first, s.last}
	done := File{Span: span, Path: filepath.Join(s.options.Dir, span.Name(string(s.options.Format))), Rows: s.rows}
	if err := s.body.finish(); err != nil {
		s.discard()
		return fmt.Errorf("complete file: %w", err)
	}
	done.Bytes, _ = s.file.Size()
	file := s.file
	s.file, s.body = nil, nil
	if err := file.Publish(done.Path); err != nil {
		if errors.Is(err, durable.ErrExists) {
			return fmt.Errorf("complete file: %w: something else than this sink wrote it", err)
		}
		s.next = s.first
		return fmt.Errorf("complete file: %w", err)
	}
	emit(done)
	return nil
}

// discard drops the file being written.
func (s *Sink) discard() {
	s.next = s.first
	s.file.Discard()
	s.file, s.body = nil, nil
}

// Close drops the file being written and gives the lock back. Flush first.
func (s *Sink) Close() error {
	if s.file != nil {
		s.discard()
	}
	return s.lock.Release()
}
