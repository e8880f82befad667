// Package container is in the schemas room: it writes Avro object container files for those who may not import the Avro library. Records go in as
// Avro binary, as they are on a topic behind the registry's five bytes; nothing is decoded.
package container

import (
	"errors"
	"fmt"
	"io"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
)

// DefaultCodec compresses blocks where nothing else is said: every reader of container files must know it.
const DefaultCodec = "deflate"

// ErrCodec is returned for the name of an unknown codec.
var ErrCodec = errors.New("codec of Avro files is not known")

// deflateLevel is the fastest level: a file is written at the speed of its topic.
const deflateLevel = 1

func codec(name string) (ocf.Codec, error) {
	switch name {
	case "", DefaultCodec:
		return ocf.DeflateCodec(deflateLevel), nil
	case "null", "none":
		return nil, nil
	case "snappy":
		return ocf.SnappyCodec(), nil
	case "zstandard", "zstd":
		return ocf.ZstdCodec(nil, nil)
	}
	return nil, fmt.Errorf("%w: %q: use null, deflate, snappy or zstandard", ErrCodec, name)
}

// CheckCodec says whether a codec is known.
func CheckCodec(name string) error {
	c, err := codec(name)
	if c != nil {
		_ = c.Close()
	}
	return err
}

// Header is what a container file says of itself.
type Header struct {
	Schema string // JSON text, kept as it is
	Codec  string // null, deflate, snappy or zstandard; "" is DefaultCodec
	Facts  map[string]string
}

// Writer writes one container file. It is for one goroutine.
type Writer struct {
	out  *counter
	file *ocf.Writer
	held int64 // bytes of records since the last block
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// NewWriter writes the header. An unknown codec is ErrCodec.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	c, err := codec(h.Codec)
	if err != nil {
		return nil, err
	}
	schema, err := avro.Parse(h.Schema)
	if err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	meta := map[string][]byte{}
	for name, value := range h.Facts {
		meta[name] = []byte(value)
	}
	out := &counter{w: w}
	options := []ocf.WriterOpt{ocf.WithMetadata(meta), ocf.WithSchema(h.Schema)}
	if c != nil {
		options = append(options, ocf.WithCodec(c))
	}
	file, err := ocf.NewWriter(out, schema, options...)
	if err != nil {
		return nil, fmt.Errorf("begin container file: %w", err)
	}
	return &Writer{out: out, file: file}, nil
}

// Add takes one record, Avro binary of the header's schema. The bytes are not checked and not kept.
func (w *Writer) Add(payload []byte) error {
	before := w.out.n
	if _, err := w.file.Write(payload); err != nil {
		return fmt.Errorf("write container file: %w", err)
	}
	w.held += int64(len(payload))
	if w.out.n > before {
		w.held = 0
	}
	return nil
}

// Size gives the bytes written, and those that wait for their block to be full.
func (w *Writer) Size() int64 { return w.out.n + w.held }

// Close writes the last block. It does not close the file.
func (w *Writer) Close() error {
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("end container file: %w", err)
	}
	return nil
}
