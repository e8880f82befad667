package rowplan

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Plan turns the rows of one header into Avro values of one schema. It is made by Compile, never changes and may be used by many goroutines.
type Plan struct {
	header  []string
	steps   []step
	sources []source // per column: the field that it feeds
}

// source is what a column feeds, for messages.
type source struct {
	field    string // dotted; "" for a column that is ignored
	expected string
	step     step // that reads the column; the zero step for one that is ignored
}

// step writes one field, in schema order. Exactly one of three is meant: a column, a constant, a group.
type step struct {
	column   int    // index into the cells, -1 for constant and group
	constant []byte // Avro bytes of the default
	group    []step // fields of a record whose columns have dotted names

	node       *node // the field's type: what is inside when it is a union of null and one other
	prefix     []byte
	null       []byte // what null is written as; nil where the field has no null
	text       bool   // an unquoted empty cell is the empty string
	read       *reading
	nulls      [][]byte
	nullSizes  uint64 // bit len(token)&63 per token: most cells are no token by their length alone
	nullFirsts uint64 // bit token[0]&63 per token that is not empty
	quick      quick
}

// reading is how texts are read, shared by the steps it holds for.
type reading struct {
	timestamp, date, clock layout
	trim, ignoreExtra      bool
}

// Header gives the column names that the plan was compiled for. The caller must not change it.
func (p *Plan) Header() []string { return p.header }

// Field gives the dotted name of the field that column i feeds, "" for one that is ignored.
func (p *Plan) Field(i int) string { return p.sources[i].field }

// IsNull says whether the cell of column i is null or empty before its type is asked: unquoted and empty, or one of the column's null tokens.
func (p *Plan) IsNull(i int, cells [][]byte, quoted Bits) bool {
	return p.sources[i].step.isNull(cell{cells[i], quoted.Has(i)})
}

// Append writes the row as one Avro value behind dst. cells must be as many as the header has columns; quoted holds those that stood in quotes.
// Nothing of the arguments is kept. Errors: *RowError for a wrong number of cells, *CellError for a cell that does not fit; dst is then given back
// as it was, though bytes behind its length may have changed.
func (p *Plan) Append(dst []byte, cells [][]byte, quoted Bits) ([]byte, error) {
	if len(cells) != len(p.header) {
		return dst, &RowError{Code: "columns", Reason: fmt.Sprintf("row has %d cells, the header has %d columns", len(cells), len(p.header))}
	}
	in := input{cells, quoted}
	out, column, f := in.appendSteps(dst, p.steps)
	if f != faultNone {
		return dst, p.cellError(column, cells[column], f)
	}
	return out, nil
}

func (p *Plan) cellError(column int, cell []byte, f fault) *CellError {
	return &CellError{
		Code: faults[f].code, Column: p.header[column], Index: column, Value: bytes.Clone(cell[:min(len(cell), MaxErrorValue)]),
		Expected: p.sources[column].expected, Reason: faults[f].reason,
	}
}

// input is the cells of one row.
type input struct {
	cells  [][]byte
	quoted Bits
}

// cell is the text of one cell and whether it stood in quotes.
type cell struct {
	text   []byte
	quoted bool
}

func (in *input) cell(i int) cell { return cell{in.cells[i], in.quoted.Has(i)} }

// appendSteps runs steps; a fault comes with the column that caused it.
func (in *input) appendSteps(dst []byte, steps []step) ([]byte, int, fault) {
	for i := range steps {
		s := &steps[i]
		var f fault
		switch {
		case s.column >= 0:
			var ok bool
			if dst, ok = s.appendQuick(dst, in.cells[s.column]); ok {
				continue
			}
			if dst, f = s.appendCell(dst, in.cell(s.column)); f != faultNone {
				return dst, s.column, f
			}
		case s.group != nil:
			var column int
			if dst, column, f = in.appendGroup(dst, s); f != faultNone {
				return dst, column, f
			}
		default:
			dst = append(dst, s.constant...)
		}
	}
	return dst, 0, faultNone
}

func (in *input) appendGroup(dst []byte, s *step) ([]byte, int, fault) {
	if s.null != nil && in.allNull(s.group) {
		return append(dst, s.null...), 0, faultNone
	}
	return in.appendSteps(append(dst, s.prefix...), s.group)
}

// allNull says whether every column below steps is null or empty, so that the record around them is null.
func (in *input) allNull(steps []step) bool {
	for i := range steps {
		s := &steps[i]
		if s.column >= 0 {
			if !s.isNull(in.cell(s.column)) {
				return false
			}
		} else if !in.allNull(s.group) {
			return false
		}
	}
	return true
}

func (s *step) appendCell(dst []byte, c cell) ([]byte, fault) {
	if s.read.trim {
		c = s.trimmed(c)
	}
	if s.nullSizes>>(len(c.text)&63)&1 != 0 && s.isToken(c) {
		return s.appendNull(dst)
	}
	if len(c.text) == 0 && !c.quoted && (s.null != nil || !s.text) {
		return s.appendNull(dst)
	}
	return s.read.appendText(append(dst, s.prefix...), s.node, c.text)
}

func (s *step) appendNull(dst []byte) ([]byte, fault) {
	if s.null == nil {
		return dst, faultNull
	}
	return append(dst, s.null...), faultNone
}

// isNull says whether c is empty or a null token.
func (s *step) isNull(c cell) bool {
	c = s.trimmed(c)
	return len(c.text) == 0 && !c.quoted || s.isToken(c)
}

func (s *step) trimmed(c cell) cell {
	if s.read != nil && s.read.trim && !c.quoted {
		c.text = bytes.Trim(c.text, " \t")
	}
	return c
}

// isToken says whether c is one of the column's null tokens. A quoted empty cell never is.
func (s *step) isToken(c cell) bool {
	if len(c.text) == 0 && c.quoted {
		return false
	}
	for _, token := range s.nulls {
		if bytes.Equal(token, c.text) {
			return true
		}
	}
	return false
}

// appendText writes text as a value of type n, or gives the fault.
func (r *reading) appendText(dst []byte, n *node, text []byte) ([]byte, fault) {
	switch n.kind {
	case kindString:
		return appendString(dst, text)
	case kindInt, kindLong:
		return appendInteger(dst, n.kind, text)
	case kindFloat, kindDouble:
		return appendFloat(dst, n.kind, text)
	case kindTimestamp, kindLocalTimestamp:
		return r.timestamp.appendTimestamp(dst, n, text)
	case kindDate:
		return r.date.appendDate(dst, text)
	case kindTimeMillis, kindTimeMicros:
		return r.clock.appendClock(dst, n, text)
	case kindBytes:
		return append(binary.AppendVarint(dst, int64(len(text))), text...), faultNone
	case kindUnion:
		return r.appendUnion(dst, n, text)
	case kindArray, kindMap, kindRecord:
		return r.appendJSONCell(dst, n, text)
	}
	return appendRare(dst, n, text)
}

func appendRare(dst []byte, n *node, text []byte) ([]byte, fault) {
	switch n.kind {
	case kindBoolean:
		return appendBoolean(dst, text)
	case kindEnum:
		return appendEnum(dst, n, text)
	case kindFixed:
		return appendFixed(dst, n, text)
	case kindDecimalBytes, kindDecimalFixed:
		return appendDecimal(dst, n, text)
	case kindUUIDString, kindUUIDFixed:
		return appendUUID(dst, n, text)
	case kindDuration:
		return appendDuration(dst, text)
	}
	return dst, faultType // null: only an empty cell or a token is one
}

// appendUnion takes the first branch, in the order of trial, that takes the text.
func (r *reading) appendUnion(dst []byte, n *node, text []byte) ([]byte, fault) {
	first := faultNone
	for _, i := range n.trial {
		out, f := r.appendText(binary.AppendVarint(dst, int64(i)), n.branches[i], text)
		if f == faultNone {
			return out, faultNone
		}
		if first == faultNone {
			first = f
		}
	}
	if len(n.trial) > 1 {
		return dst, faultType
	}
	return dst, first
}
