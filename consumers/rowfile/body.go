package rowfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"stripeline/consumers/table"
	"stripeline/schemas/container"
)

// Format is what is written. It is also the ending of the files' names.
type Format string

// The formats.
const (
	Avro Format = "avro" // Avro object container files
	JSON Format = "json" // a line of JSON for each record
	CSV  Format = "csv"  // separated values under a header
)

// ErrFormat is returned for an unknown format.
var ErrFormat = errors.New("format of files is not known")

// Schema is what the records of an Avro file have in common.
type Schema struct {
	ID   int
	Text string
}

// Record is one record of the partition. Without a schema its ID is 0, which Avro files do not take.
type Record struct {
	table.Record
	Schema Schema
}

// body is the content of a file that is being written.
type body interface {
	add(r *Record) error
	size() int64
	finish() error
}

func (o *Options) body(w io.Writer, first *Record) (body, error) {
	if o.Format == Avro {
		facts := map[string]string{"stripeline.topic": o.Topic, "stripeline.schema.id": strconv.Itoa(first.Schema.ID)}
		out, err := container.NewWriter(w, container.Header{Schema: first.Schema.Text, Codec: o.Codec, Facts: facts})
		if err != nil {
			return nil, err
		}
		return avroBody{out}, nil
	}
	counted := &counted{w: w}
	print := o.Print
	print.Format = table.Format(o.Format)
	printer, err := table.New(counted, print)
	if err != nil {
		return nil, err
	}
	return &lineBody{printer, counted}, nil
}

type avroBody struct{ *container.Writer }

func (b avroBody) add(r *Record) error { return b.Add(r.Payload) }
func (b avroBody) size() int64         { return b.Size() }
func (b avroBody) finish() error       { return b.Close() }

// lineBody is JSON lines or separated values.
type lineBody struct {
	printer *table.Printer
	out     *counted
}

func (b *lineBody) add(r *Record) error { return b.printer.Put(context.Background(), r.Record) }
func (b *lineBody) size() int64         { return b.out.n }
func (b *lineBody) finish() error       { return b.printer.Close() }

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// CheckFormat says whether a format and a codec are known.
func CheckFormat(format Format, codec string) error {
	if endings[string(format)] == "" {
		return fmt.Errorf("%w: %q: use avro, json or csv", ErrFormat, format)
	}
	return container.CheckCodec(codec)
}
