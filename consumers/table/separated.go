package table

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"stripeline/schemas/rowplan"
)

// ErrNewColumn is returned for a record that has a column which the CSV header, already written, lacks.
var ErrNewColumn = errors.New("record has a column that the header lacks")

// separated is the csv format. The first record with a schema, or the first record, makes the header; later ones are put under it by name.
type separated struct {
	columns columns
	options Options
	header  []string
	places  map[*rowplan.Walker][]int // header column -> the record's column, -1 for none
	line    rowplan.Flat
}

func (s *separated) append(dst []byte, r *Record) ([]byte, error) {
	row, err := s.columns.row(r)
	if err != nil {
		return dst, err
	}
	form := rowplan.Separated{Null: s.options.Null}
	if s.header == nil {
		s.header = s.columns.names(r.Walker)
		reset(&s.line)
		for _, name := range s.header {
			addCell(&s.line, []byte(name), false)
		}
		dst = append(form.AppendLine(dst, &s.line), '\n')
	}
	places, err := s.placesOf(r)
	if err != nil {
		return dst, err
	}
	reset(&s.line)
	for _, at := range places {
		if at < 0 {
			addCell(&s.line, nil, true)
			continue
		}
		addCell(&s.line, s.safe(row.Cell(at)), row.Null.Has(at))
	}
	return append(form.AppendLine(dst, &s.line), '\n'), nil
}

func (*separated) pending(dst []byte) []byte { return dst }

func (s *separated) placesOf(r *Record) ([]int, error) {
	if places, known := s.places[r.Walker]; known {
		return places, nil
	}
	names := s.columns.names(r.Walker)
	at := map[string]int{}
	for i, name := range names {
		at[name] = i
	}
	if r.Walker == nil && r.Value == nil {
		delete(at, "value")
	}
	places := make([]int, len(s.header))
	for i, name := range s.header {
		places[i] = -1
		if j, ok := at[name]; ok {
			places[i] = j
			delete(at, name)
		}
	}
	for _, name := range names {
		if _, left := at[name]; left {
			return nil, fmt.Errorf("%w: %s: print with -o json, or read up to here with -n", ErrNewColumn, name)
		}
	}
	if r.Value != nil {
		s.places[r.Walker] = places
	}
	return places, nil
}

// safe puts a ' before a cell that a spreadsheet would take for a formula.
func (s *separated) safe(cell []byte) []byte {
	if !s.options.EscapeFormulas || len(cell) == 0 || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(string(cell), 64); err == nil {
		return cell
	}
	return append([]byte{'\''}, cell...)
}
