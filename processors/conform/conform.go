// Package conform is in the processors room: it makes a row of text an Avro record that carries its schema's id, or says which cell does not fit.
package conform

import (
	"encoding/binary"
	"errors"
	"strconv"

	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// Headers of a reject that say which cell did not fit. The bytes of the row, its place, subject and schema id are known to the link that files it.
const (
	HeaderColumn   = "column"   // name in the header row
	HeaderValue    = "value"    // the cell, cut at rowplan.MaxErrorValue bytes
	HeaderExpected = "expected" // the type, as in "long (timestamp-millis) or null"
)

// Headers of a record whose shape asks for provenance.
const (
	HeaderFile = "file"
	HeaderLine = "line" // decimal
)

// Record is what a row became. Its slices are never used again by the stage.
type Record struct {
	Key     []byte // nil without one
	Value   []byte // byte 0, the schema id as 4 bytes big-endian, the Avro value (the registry's wire format)
	Headers []schemas.Header
}

// Shape says what rows become.
type Shape struct {
	Plan       *rowplan.Plan
	SchemaID   uint32
	Key        Key
	Provenance bool // headers with file and line
}

// Key says what a record's key is made of. The zero Key is none. With a Plan it is an Avro value with the same header as the record's value;
// otherwise the text of the columns: of one as it is and nil when it is null or empty, of several as one line of separated values.
type Key struct {
	Columns  []int
	Plan     *rowplan.Plan
	SchemaID uint32
}

// Stage gives the function that makes a row a record or a reject: codes and reasons are those of rowplan.CellError and rowplan.RowError. The
// function is for one goroutine; it may be handed a row whose bytes are used again afterwards.
func Stage(s Shape) func(row rowplan.Row, emit func(Record)) error {
	var store slab
	return func(row rowplan.Row, emit func(Record)) error {
		if row.Err != nil {
			return Reason(row.Err)
		}
		value, err := s.Plan.Append(wireHeader(store.open(), s.SchemaID), row.Cells, row.Quoted)
		if err != nil {
			return Reason(err)
		}
		record := Record{Value: store.keep(value)}
		key, keyed, err := s.AppendKey(store.open(), row)
		if err != nil {
			return ofKey(Reason(err))
		}
		if keyed {
			record.Key = store.keep(key)
		}
		if s.Provenance {
			record.Headers = provenance(row)
		}
		emit(record)
		return nil
	}
}

// AppendKey writes the row's key behind dst; false without one. It serves rejects too, whose key may be known though a cell is wrong. A row
// that could not be split has none.
func (s Shape) AppendKey(dst []byte, row rowplan.Row) ([]byte, bool, error) {
	switch {
	case row.Err != nil || s.Key.Plan == nil && len(s.Key.Columns) == 0 || len(row.Cells) != len(s.Plan.Header()):
		return dst, false, nil
	case s.Key.Plan != nil:
		out, err := s.Key.Plan.Append(wireHeader(dst, s.Key.SchemaID), row.Cells, row.Quoted)
		if err != nil {
			return dst, false, err
		}
		return out, true, nil
	case len(s.Key.Columns) == 1:
		i := s.Key.Columns[0]
		if s.Plan.IsNull(i, row.Cells, row.Quoted) {
			return dst, false, nil
		}
		return append(dst, row.Cells[i]...), true, nil
	}
	return s.appendLine(dst, row), true, nil
}

// appendLine writes the key's columns as one line of separated values, so that different keys never look the same.
func (s Shape) appendLine(dst []byte, row rowplan.Row) []byte {
	var flat rowplan.Flat
	for n, i := range s.Key.Columns {
		if s.Plan.IsNull(i, row.Cells, row.Quoted) {
			flat.Null = flat.Null.With(n)
		} else {
			flat.Text = append(flat.Text, row.Cells[i]...)
		}
		flat.Ends = append(flat.Ends, len(flat.Text))
	}
	return rowplan.Separated{}.AppendLine(dst, &flat)
}

// Reason makes a reject of what rowplan says of a row or cell; other errors are given back as they are.
func Reason(err error) error {
	if cell := (*rowplan.CellError)(nil); errors.As(err, &cell) {
		return schemas.Reject(cell.Code, cell.Error(), schemas.Header{Key: HeaderColumn, Value: []byte(cell.Column)},
			schemas.Header{Key: HeaderValue, Value: cell.Value}, schemas.Header{Key: HeaderExpected, Value: []byte(cell.Expected)})
	}
	if row := (*rowplan.RowError)(nil); errors.As(err, &row) {
		return schemas.Reject(row.Code, row.Reason, columnOf(row)...)
	}
	return err
}

// ofKey says that what does not fit is the key: its column may well be right for the value.
func ofKey(err error) error {
	if why, ok := schemas.AsReject(err); ok {
		return schemas.Reject(why.Code, "key: "+why.Message, why.Headers...)
	}
	return err
}

func columnOf(row *rowplan.RowError) []schemas.Header {
	if row.Column == "" {
		return nil
	}
	return []schemas.Header{{Key: HeaderColumn, Value: []byte(row.Column)}}
}

func wireHeader(dst []byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), id)
}

func provenance(row rowplan.Row) []schemas.Header {
	return []schemas.Header{
		{Key: HeaderFile, Value: []byte(row.File)}, {Key: HeaderLine, Value: strconv.AppendInt(nil, row.Line, 10)},
	}
}

// slabSize is how much memory is taken at once for the bytes of many records.
const slabSize = 64 << 10

// slab keeps bytes for good: it hands out pieces of larger pieces of memory and never one byte twice.
type slab struct{ free []byte }

// open gives memory to append to. What is not kept is lent again.
func (s *slab) open() []byte {
	if len(s.free) < slabSize/8 {
		s.free = make([]byte, slabSize)
	}
	return s.free[:0]
}

// keep keeps b, which began as what open gave last: where it stands, unless it outgrew its place.
func (s *slab) keep(b []byte) []byte {
	if len(b) <= len(s.free) {
		s.free = s.free[len(b):]
	}
	return b[:len(b):len(b)]
}
