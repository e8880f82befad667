package rowplan

import "bytes"

// Flat holds one value as cells: cell i is Text[Ends[i-1]:Ends[i]]. A zero Flat may be filled again and again.
type Flat struct {
	Text []byte
	Ends []int
	Null Bits // the cells that are null, or belong to a record that is
}

// Len gives the number of cells.
func (f *Flat) Len() int { return len(f.Ends) }

// Cell gives the text of cell i, which aliases f.
func (f *Flat) Cell(i int) []byte {
	start := 0
	if i > 0 {
		start = f.Ends[i-1]
	}
	return f.Text[start:f.Ends[i]]
}

// Cells fills f with value's cells, one for each of Columns, as Append reads them: bytes as they are, arrays and maps as JSON.
func (w *Walker) Cells(f *Flat, value []byte) error {
	f.Text, f.Ends = f.Text[:0], f.Ends[:0]
	clear(f.Null)
	c := cursor{data: value}
	v := flattener{cursor: &c, flat: f, columns: w.columns}
	v.value(w.root)
	return c.end()
}

// flattener goes through a value and its columns side by side.
type flattener struct {
	*cursor
	flat    *Flat
	columns []walked
}

// value reads a value of type n: the next column itself, or a record that the next columns lie in.
func (v *flattener) value(n *node) {
	if v.err != nil {
		return
	}
	record := recordIn(n)
	if record == nil || v.isColumn(n) {
		v.cell(n)
		return
	}
	if n.kind == kindUnion && v.index(len(n.branches)) == n.nullAt {
		v.nulls(record)
		return
	}
	for i := range record.fields {
		v.value(record.fields[i].node)
	}
}

// isColumn says whether n itself is the next column: a record that holds itself is not taken apart for ever.
func (v *flattener) isColumn(n *node) bool { return len(v.columns) > 0 && v.columns[0].node == n }

func (v *flattener) cell(n *node) {
	for n.kind == kindUnion {
		i := v.index(len(n.branches))
		if i < 0 {
			return
		}
		n = n.branches[i]
	}
	switch n.kind {
	case kindNull:
		v.flat.Null = v.flat.Null.With(len(v.flat.Ends))
	case kindArray, kindMap, kindRecord:
		v.flat.Text = v.appendJSON(v.flat.Text, n, 0)
	default:
		v.flat.Text = v.appendScalar(v.flat.Text, n)
	}
	v.next()
}

func (v *flattener) next() {
	v.flat.Ends = append(v.flat.Ends, len(v.flat.Text))
	v.columns = v.columns[1:]
}

// nulls makes null cells of all columns below record.
func (v *flattener) nulls(record *node) {
	for i := range record.fields {
		below := recordIn(record.fields[i].node)
		if below != nil && !v.isColumn(record.fields[i].node) {
			v.nulls(below)
			continue
		}
		v.flat.Null = v.flat.Null.With(len(v.flat.Ends))
		v.next()
	}
}

// Separated is how lines of separated values are written.
type Separated struct {
	Delimiter byte   // 0 is the comma
	Null      string // what null is written as, never in quotes; a text equal to it is quoted
}

// AppendLine writes the cells as one line without a line end: quotes where a delimiter, quote, line end or surrounding space asks for them, around
// the empty text, and around a text equal to Null. Null "" and the splitter's rules give each value back, except that a row of one null cell is
// a blank line.
func (s Separated) AppendLine(dst []byte, f *Flat) []byte {
	delimiter := s.Delimiter
	if delimiter == 0 {
		delimiter = ','
	}
	for i := range f.Ends {
		if i > 0 {
			dst = append(dst, delimiter)
		}
		if f.Null.Has(i) {
			dst = append(dst, s.Null...)
			continue
		}
		dst = s.appendCell(dst, f.Cell(i), delimiter)
	}
	return dst
}

func (s Separated) appendCell(dst, cell []byte, delimiter byte) []byte {
	plain := len(cell) > 0 && string(cell) != s.Null && bytes.IndexByte(cell, delimiter) < 0 && !bytes.ContainsAny(cell, "\"\r\n") &&
		!isBlank(cell[0]) && !isBlank(cell[len(cell)-1]) && cell[0] != '#'
	if plain {
		return append(dst, cell...)
	}
	dst = append(dst, '"')
	for _, b := range cell {
		if b == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, b)
	}
	return append(dst, '"')
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' }
