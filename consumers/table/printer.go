package table

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"stripeline/schemas/rowplan"
)

// Format is how records are printed.
type Format string

// The formats.
const (
	Table Format = "table"
	JSON  Format = "json"
	CSV   Format = "csv"
	Raw   Format = "raw"
)

// Options say how to print.
type Options struct {
	Format         Format // "" is Table
	Meta           bool   // partition, offset, timestamp and key too
	Null           string // csv: what null is written as
	EscapeFormulas bool   // csv: a ' before cells that a spreadsheet would run (they begin with = + - @ tab or return and are no number)
}

// Record is what is printed. Walker reads Payload; it is nil for a value without a schema. Value is the whole value, nil for a tombstone. KeyWalker
// and KeyPayload are the same for the key.
type Record struct {
	Partition  int32
	Offset     int64
	Time       time.Time
	Key        []byte
	KeyWalker  *rowplan.Walker
	KeyPayload []byte
	Value      []byte
	Walker     *rowplan.Walker
	Payload    []byte
}

// Printer prints records to one writer. Put, Flush and Close may be called by several goroutines; a record is printed whole.
type Printer struct {
	mu      sync.Mutex
	out     *bufio.Writer
	options Options
	style   style
	line    []byte
}

// style is one format: append adds the lines of one record to dst, pending what it has kept back.
type style interface {
	append(dst []byte, r *Record) ([]byte, error)
	pending(dst []byte) []byte
}

// New makes a printer. An unknown format is an error that lists the known ones.
func New(w io.Writer, options Options) (*Printer, error) {
	p := &Printer{out: bufio.NewWriterSize(w, 64<<10), options: options}
	switch options.Format {
	case Table, "":
		p.style = &aligned{columns: columns{meta: options.Meta}}
	case JSON:
		p.style = jsonLines{meta: options.Meta}
	case CSV:
		p.style = &separated{columns: columns{meta: options.Meta}, options: options, places: map[*rowplan.Walker][]int{}}
	case Raw:
		p.style = raw{}
	default:
		return nil, fmt.Errorf("output format %q is not known: use table, json, csv or raw", options.Format)
	}
	return p, nil
}

// Put prints one record; nothing of it is kept.
func (p *Printer) Put(_ context.Context, r Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := p.style.append(p.line[:0], &r)
	p.line = line[:0]
	if err != nil {
		return fmt.Errorf("print record at partition %d offset %d: %w", r.Partition, r.Offset, err)
	}
	if _, err := p.out.Write(line); err != nil {
		return fmt.Errorf("print record: %w", err)
	}
	return nil
}

// Flush hands everything put so far to the writer.
func (p *Printer) Flush(context.Context, func(struct{})) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.out.Write(p.style.pending(nil)); err != nil {
		return fmt.Errorf("print records: %w", err)
	}
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("print records: %w", err)
	}
	return nil
}

// Close flushes.
func (p *Printer) Close() error { return p.Flush(context.Background(), func(struct{}) {}) }

type raw struct{}

func (raw) append(dst []byte, r *Record) ([]byte, error) {
	return append(append(dst, r.Value...), '\n'), nil
}

func (raw) pending(dst []byte) []byte { return dst }
