package csvfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"stripeline/producers/textfile"
	"stripeline/schemas/rowplan"
)

// ErrHeader is wrapped by Open when the header row cannot be read.
var ErrHeader = errors.New("header row cannot be read")

// Source gives the rows of one text. It is used by one goroutine.
type Source struct {
	stream   *textfile.Stream
	options  Options
	splitter splitter
	header   []string
	width    int // cells that a row should have; 0 while the header is not read
	resync   bool
	counts   Counts
	kept     []byte // bytes of a reject that had to outlive the window
	err      error  // reading stopped inside a row; at is the place before it
	hasty    bool   // what would have to be waited for is errLater
	at       textfile.Position
}

// Counts say what was passed over.
type Counts struct {
	Blank    int64 // blank lines
	Comments int64
	Unsplit  int64 // rows with an Err
}

// Open opens name, "-" for standard input, reads its header row, and goes to where Resume says. The header is known when it returns. An unreadable
// header (none, cut off, not UTF-8, an unclosed quote, a NUL) is ErrHeader; a text that is not the recorded one is textfile.ErrChanged.
func Open(ctx context.Context, name string, o Options) (*Source, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	stream, err := textfile.Open(ctx, name, textfile.Options{Stdin: o.Stdin, Follow: o.Follow, Poll: o.Poll})
	if err != nil {
		return nil, err
	}
	s := &Source{stream: stream, options: o, header: o.Columns, width: len(o.Columns)}
	s.splitter = splitter{delimiter: o.Delimiter, quote: o.Quote, escape: o.Escape, quoting: o.Quote != None, latin1: o.Latin1}
	if err := s.begin(ctx); err != nil {
		stream.Close()
		return nil, err
	}
	return s, nil
}

func (s *Source) begin(ctx context.Context) error {
	if s.options.Columns == nil {
		if err := s.readHeader(ctx); err != nil {
			return err
		}
	}
	if s.options.Resume != nil {
		return s.Resume(ctx, *s.options.Resume)
	}
	return nil
}

// Resume goes to where an earlier run stopped, before the first Next. The text before it is checked against its CRC32C: textfile.ErrChanged.
func (s *Source) Resume(ctx context.Context, p textfile.Position) error {
	return s.stream.Resume(ctx, p)
}

func (s *Source) readHeader(ctx context.Context) error {
	var row rowplan.Row
	err := s.read(ctx, &row)
	if err == io.EOF {
		return fmt.Errorf("%w: %s is empty: give it a header row, or name the columns", ErrHeader, s.stream.Name())
	}
	if err == nil {
		err = row.Err
	}
	for i, cell := range row.Cells {
		if err == nil && !utf8.Valid(cell) {
			err = fmt.Errorf("column %d is not UTF-8: is the file Latin-1?", i+1)
		}
		s.header = append(s.header, string(cell))
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrHeader, s.stream.Name(), err)
	}
	s.width = len(s.header)
	return nil
}

// Header gives the names of the columns. The caller must not change it.
func (s *Source) Header() []string { return s.header }

// Counts gives what was passed over so far.
func (s *Source) Counts() Counts { return s.counts }

// Position gives the place behind the row that Next gave last.
func (s *Source) Position() textfile.Position {
	if s.err != nil {
		return s.at
	}
	return s.stream.Position()
}

// stop ends the source because reading failed with part of a row consumed.
func (s *Source) stop(before textfile.Position, err error) { s.at, s.err = before, err }

// Close closes the text.
func (s *Source) Close() error { return s.stream.Close() }

// Next gives the next row, io.EOF behind the last. A row that cannot be split comes with its Err, and reading goes on. Every other error is of
// the file or of ctx. The row's slices are valid until the next call.
func (s *Source) Next(ctx context.Context) (rowplan.Row, error) {
	row := rowplan.Row{Cells: s.splitter.cells[:0], Quoted: s.splitter.quoted[:0]}
	err := s.next(ctx, &row)
	return row, err
}

func (s *Source) next(ctx context.Context, row *rowplan.Row) error {
	if s.err != nil {
		return s.err
	}
	err := s.read(ctx, row)
	if err == nil {
		s.stream.CountRow()
	}
	return err
}

// read gives the next row; the memory of its cells is used for them.
func (s *Source) read(ctx context.Context, row *rowplan.Row) error {
	if err := s.passOver(ctx); err != nil {
		return err
	}
	row.File, row.Line, row.Offset = s.stream.Name(), s.stream.Line(), s.stream.Offset()
	s.splitter.cells, s.splitter.quoted = row.Cells, row.Quoted
	data, n, body, v, err := s.cut(ctx)
	row.Cells, row.Quoted = s.splitter.cells, s.splitter.quoted
	if err != nil {
		return err
	}
	if v == rowWhole {
		if !s.splitter.multi || s.width == 0 || len(row.Cells) == s.width {
			row.Raw = data[:body]
			s.whole(row, data[:n])
			return nil
		}
		v = rowUnquote
	}
	if s.hasty {
		return errLater // the rest of it may have to be waited for
	}
	return s.broken(ctx, row, v)
}

// whole consumes a row that was split from text.
func (s *Source) whole(row *rowplan.Row, text []byte) {
	s.resync = false
	lines := int64(0)
	if s.splitter.multi {
		lines = int64(bytes.Count(text, []byte{'\n'}))
	} else if text[len(text)-1] == '\n' {
		lines = 1
	}
	s.stream.Consume(len(text), lines)
	if i := bytes.IndexByte(row.Raw, 0); i >= 0 {
		s.counts.Unsplit++
		cell := slices.IndexFunc(row.Cells, func(c []byte) bool { return bytes.IndexByte(c, 0) >= 0 })
		row.Err = &rowplan.RowError{Code: "nul", Column: s.column(cell), Reason: fmt.Sprintf("row has a NUL byte at its byte %d", i)}
		row.Cells, row.Quoted = row.Cells[:0], row.Quoted[:0]
	}
}

// column gives the name of a column by its number from 0, "" where the header has none.
func (s *Source) column(i int) string {
	if i < 0 || i >= len(s.header) {
		return ""
	}
	return s.header[i]
}

// cut looks for the end of the next row, reading further as long as it may be within MaxRow. Data is the window that the row was looked for in.
func (s *Source) cut(ctx context.Context) (data []byte, n, body int, v verdict, err error) {
	end, mode := moreFollows, lenient
	if s.resync {
		mode = strict
	}
	for {
		data = s.stream.Bytes()
		full := len(data) > s.options.MaxRow+2
		if full {
			data, end = data[:s.options.MaxRow+2], moreFollows
		}
		n, body, v = s.splitter.row(data, end, mode)
		if v == rowWhole && body > s.options.MaxRow {
			v = rowCut
		}
		lineAtHand := v == rowUnquote && bytes.IndexByte(data, '\n') >= 0 // a broken row costs its first line, which must be known whole
		if v == rowWhole || lineAtHand || full || end == nothingFollows {
			return data, n, body, v, nil
		}
		if err = s.more(ctx); err == io.EOF {
			end = nothingFollows
		} else if err != nil {
			return nil, 0, 0, v, err
		}
	}
}

// passOver consumes blank lines and comment lines; io.EOF when nothing follows them.
func (s *Source) passOver(ctx context.Context) error {
	for {
		data := s.stream.Bytes()
		switch {
		case len(data) == 0 || data[0] == '\r' && len(data) == 1:
			if err := s.more(ctx); err == io.EOF && len(data) == 1 {
				s.counts.Blank++
				s.stream.Consume(1, 0)
			} else if err != nil {
				return err
			}
		case data[0] == '\n':
			s.counts.Blank++
			s.stream.Consume(1, 1)
		case data[0] == '\r' && data[1] == '\n':
			s.counts.Blank++
			s.stream.Consume(2, 1)
		case s.options.Comment != 0 && data[0] == s.options.Comment:
			if s.hasty && bytes.IndexByte(data, '\n') < 0 {
				return errLater // its end may have to be waited for
			}
			s.counts.Comments++
			before := s.stream.Position()
			if _, _, err := s.stream.PassLine(ctx, nil, 0); err != nil {
				s.stop(before, err)
				return err
			}
		default:
			return nil
		}
	}
}
