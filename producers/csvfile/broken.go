package csvfile

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"stripeline/schemas/rowplan"
)

// broken gives the row at the window's start, which cannot be split, and puts the window where reading goes on. One error of three: a line longer
// than MaxRow, a quote that MaxRow bytes or the end of the text did not close, a quote that is in the wrong place.
func (s *Source) broken(ctx context.Context, row *rowplan.Row, v verdict) error {
	before := s.stream.Position()
	why, err := s.reject(ctx, v)
	row.Cells, row.Quoted = row.Cells[:0], row.Quoted[:0]
	if err != nil {
		s.stop(before, err)
		return err
	}
	s.counts.Unsplit++
	s.resync = true
	row.Err, row.Raw = why, bytes.Clone(s.kept)
	return nil
}

// reject consumes what belongs to the broken row, keeps its bytes, and says what is wrong with it.
func (s *Source) reject(ctx context.Context, v verdict) (*rowplan.RowError, error) {
	data := s.stream.Bytes()
	open := v == rowCut && len(data) > s.options.MaxRow // what follows the first line may still belong to the row
	data = data[:min(len(data), s.options.MaxRow+2)]
	stop := bytes.IndexByte(data, '\n')
	if stop >= 0 {
		data = data[:stop]
	}
	if len(bytes.TrimSuffix(data, []byte{'\r'})) > s.options.MaxRow {
		return s.tooLong(ctx)
	}
	opened := s.splitter.opened
	if _, _, alone := s.splitter.row(data, nothingFollows, lenient); alone != rowWhole {
		opened = s.splitter.opened // the first line alone shows best which quote is open
	}
	name, column := s.column(opened), opened+1
	s.keepFirstLine(stop)
	if open && s.width > 1 {
		if lines, err := s.absorb(ctx); lines > 0 || err != nil {
			return &rowplan.RowError{Code: "length", Column: name, Reason: fmt.Sprintf("row of %d lines with an open quote in column %d is longer than %d bytes: "+
				"its first %d bytes are kept, reading goes on at line %d", lines+1, column, s.options.MaxRow, len(s.kept), s.stream.Line())}, err
		}
	}
	return &rowplan.RowError{Code: "quote", Column: name, Reason: fmt.Sprintf("quote in column %d is not closed, or closes in mid-cell: reading goes on at line %d",
		column, s.stream.Line())}, nil
}

// keepFirstLine consumes the first line, whose end is at stop, or everything when it has none, and keeps a copy without the line end.
func (s *Source) keepFirstLine(stop int) {
	data := s.stream.Bytes()
	n, lines := stop+1, int64(1)
	if stop < 0 {
		n, stop, lines = len(data), len(data), 0
	}
	s.kept = append(s.kept[:0], bytes.TrimSuffix(data[:stop], []byte{'\r'})...)
	s.stream.Consume(n, lines)
}

// tooLong consumes a line longer than MaxRow and keeps its first bytes.
func (s *Source) tooLong(ctx context.Context) (*rowplan.RowError, error) {
	var length int64
	var err error
	s.kept, length, err = s.stream.PassLine(ctx, s.kept[:0], min(keepOfLong, s.options.MaxRow))
	return &rowplan.RowError{Code: "length", Reason: fmt.Sprintf("row of %d bytes is longer than %d: its first %d bytes are kept",
		length, s.options.MaxRow, len(s.kept))}, err
}

// absorb consumes the lines of a row that is too long until one parses, and gives their number. kept grows with them up to keepOfLong bytes.
func (s *Source) absorb(ctx context.Context) (lines int64, err error) {
	s.resync = true // the lines are looked at strictly
	for {
		if len(s.stream.Bytes()) == 0 {
			if err := s.stream.More(ctx); err == io.EOF {
				return lines, nil
			} else if err != nil {
				return lines, err
			}
		}
		_, _, _, v, err := s.cut(ctx)
		if err != nil || v == rowWhole && len(s.splitter.cells) == s.width {
			return lines, err
		}
		if err := s.absorbLine(ctx); err != nil {
			return lines, err
		}
		lines++
	}
}

func (s *Source) absorbLine(ctx context.Context) error {
	room := keepOfLong - len(s.kept) - 1
	if room > 0 {
		s.kept = append(s.kept, '\n')
	}
	var err error
	s.kept, _, err = s.stream.PassLine(ctx, s.kept, max(room, 0))
	return err
}
