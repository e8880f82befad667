// Package linefile is in the producers room: it gives each line of a text as one row, its bytes as they are.
package linefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"stripeline/producers/textfile"
	"stripeline/schemas/rowplan"
)

// DefaultMaxLine is the longest line, in bytes without its line end, where Options say nothing.
const DefaultMaxLine = 1 << 20

// keepOfLong is how many bytes of a line above MaxLine its reject keeps.
const keepOfLong = 64 << 10

// ErrOptions is wrapped by Open when the longest line is negative.
var ErrOptions = errors.New("longest line is no positive number of bytes")

// Options say where lines come from and how long they may be.
type Options struct {
	MaxLine int // bytes; 0 is DefaultMaxLine

	Stdin  io.Reader          // what the name "-" reads
	Follow bool               // wait at the end of the file for more
	Poll   time.Duration      // how often a followed file is looked at; 0 is a quarter of a second
	Resume *textfile.Position // where an earlier run stopped; the text before it is checked against its CRC32C
}

// Source gives the lines of one text. It is used by one goroutine.
type Source struct {
	stream *textfile.Stream
	max    int
	hasty  bool  // what would have to be waited for is errLater
	err    error // reading stopped inside a line; at is the place before it
	at     textfile.Position
}

// Open opens name, "-" for standard input; gzip and zstd are known by content, a byte order mark is passed over.
func Open(ctx context.Context, name string, o Options) (*Source, error) {
	if o.MaxLine == 0 {
		o.MaxLine = DefaultMaxLine
	}
	if o.MaxLine < 0 {
		return nil, fmt.Errorf("open %s: %w: %d", name, ErrOptions, o.MaxLine)
	}
	stream, err := textfile.Open(ctx, name, textfile.Options{Stdin: o.Stdin, Follow: o.Follow, Poll: o.Poll})
	if err != nil {
		return nil, err
	}
	if o.Resume != nil {
		if err := stream.Resume(ctx, *o.Resume); err != nil {
			stream.Close()
			return nil, err
		}
	}
	return &Source{stream: stream, max: o.MaxLine}, nil
}

// Resume goes to where an earlier run stopped, before the first Fill. The text before it is checked against its CRC32C: textfile.ErrChanged.
func (s *Source) Resume(ctx context.Context, p textfile.Position) error {
	return s.stream.Resume(ctx, p)
}

// errLater says that a line is not at hand yet; nothing of it is consumed.
var errLater = errors.New("internal error: a line that may be waited for is told of")

// Fill gives the next lines, each as the Raw of a row without cells, all that are at hand and that a batch holds; it waits for the first alone. A line
// ends with LF or CRLF, an empty line is a row too; one that is too long comes with its first bytes and an Err. An error, io.EOF behind the last line,
// may come with lines before it. The rows' slices are valid until b is filled again.
func (s *Source) Fill(ctx context.Context, b *rowplan.Batch) error {
	s.stream.Keep()
	defer func() { s.hasty = false }()
	b.Rows = b.Rows[:0]
	for began := s.stream.Offset(); b.Takes(s.stream.Offset() - began); s.hasty = true {
		if err := s.next(ctx, b.Next()); err != nil {
			b.Rows = b.Rows[:len(b.Rows)-1]
			if err == errLater {
				return nil
			}
			return err
		}
	}
	return nil
}

func (s *Source) next(ctx context.Context, row *rowplan.Row) error {
	if s.err != nil {
		return s.err
	}
	row.File, row.Line, row.Offset = s.stream.Name(), s.stream.Line(), s.stream.Offset()
	for {
		data := s.stream.Bytes()
		stop := bytes.IndexByte(data, '\n')
		if stop < 0 && len(data) <= s.max+1 {
			err := s.more(ctx)
			if err == nil {
				continue
			}
			if err != io.EOF || len(data) == 0 {
				return err
			}
		}
		line, n, ends := data, len(data), int64(0)
		if stop >= 0 {
			line, n, ends = data[:stop], stop+1, 1
		}
		if line = bytes.TrimSuffix(line, []byte{'\r'}); len(line) > s.max {
			return s.tooLong(ctx, row)
		}
		s.stream.Consume(n, ends)
		s.stream.CountRow()
		row.Raw = line
		return nil
	}
}

// more reads further text, unless that cannot be waited for.
func (s *Source) more(ctx context.Context) error {
	if s.hasty && !s.stream.Ready() {
		return errLater
	}
	return s.stream.More(ctx)
}

// tooLong passes over the line and gives its first bytes.
func (s *Source) tooLong(ctx context.Context, row *rowplan.Row) error {
	if s.hasty {
		return errLater // its end may have to be waited for
	}
	before := s.stream.Position()
	kept, length, err := s.stream.PassLine(ctx, nil, min(keepOfLong, s.max))
	if err != nil {
		s.at, s.err = before, err
		return err
	}
	s.stream.CountRow()
	row.Raw = kept
	row.Err = &rowplan.RowError{Code: "length", Reason: fmt.Sprintf("line of %d bytes is longer than %d: its first %d bytes are kept", length, s.max, len(kept))}
	return nil
}

// Position gives the place behind the line that Fill gave last.
func (s *Source) Position() textfile.Position {
	if s.err != nil {
		return s.at
	}
	return s.stream.Position()
}

// Close closes the text.
func (s *Source) Close() error { return s.stream.Close() }
