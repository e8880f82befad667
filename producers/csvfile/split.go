package csvfile

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"stripeline/schemas/rowplan"
)

// verdict is what the splitter says of the bytes that it was given.
type verdict uint8

const (
	rowWhole   verdict = iota
	rowCut             // the row goes on behind the bytes
	rowUnquote         // a text stands behind a closing quote, or a quote inside an unquoted cell when that is looked for
)

// splitter cuts single rows. Its cells alias the bytes that it was given, or its scratch, until the next row.
type splitter struct {
	delimiter byte
	quote     byte
	escape    byte
	quoting   bool
	latin1    bool

	cells   [][]byte
	quoted  rowplan.Bits
	scratch []byte
	opened  int  // the cell that the last quote was opened in
	multi   bool // the row has line ends inside
}

// row cuts the row at the start of data. last says that nothing follows data. n is the length of the row with its line end, body without.
// strict makes a quote inside an unquoted cell a verdict.
func (s *splitter) row(data []byte, end ending, mode strictness) (n, body int, v verdict) {
	s.scratch, s.multi = s.scratch[:0], false
	stop := bytes.IndexByte(data, '\n')
	if stop < 0 {
		stop = len(data)
	}
	switch {
	case s.isSpecial(data[:stop]):
		n, body, v = s.careful(data, end, mode)
		s.multi = v == rowWhole && body > stop
	case stop == len(data) && end == moreFollows:
		return 0, 0, rowCut
	default:
		n, body = min(stop+1, len(data)), stop
		if body > 0 && data[body-1] == '\r' {
			body--
		}
		s.plain(data[:body])
	}
	if v == rowWhole && s.latin1 {
		s.toUTF8()
	}
	return n, body, v
}

// isSpecial says whether line needs more than its delimiters.
func (s *splitter) isSpecial(line []byte) bool {
	return s.quoting && bytes.IndexByte(line, s.quote) >= 0 || s.escape != 0 && bytes.IndexByte(line, s.escape) >= 0
}

// ending says whether bytes follow those at hand.
type ending uint8

const (
	moreFollows ending = iota
	nothingFollows
)

// strictness says whether a quote inside an unquoted cell is an ordinary byte.
type strictness uint8

const (
	lenient strictness = iota
	strict
)

// Every byte of a word.
const (
	lowBits  = 0x7f7f7f7f7f7f7f7f
	eachByte = 0x0101010101010101
)

// plain cuts a line without quotes and escapes, eight bytes at a time.
func (s *splitter) plain(line []byte) {
	s.quoted = s.quoted[:0]
	cells, start, i := s.cells[:0], 0, 0
	delimiters := eachByte * uint64(s.delimiter)
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:]) ^ delimiters
		for found := ^(x&lowBits + lowBits | x | lowBits); found != 0; found &= found - 1 { // the high bit of each byte that is the delimiter
			at := i + bits.TrailingZeros64(found)/8
			cells = append(cells, line[start:at:at])
			start = at + 1
		}
	}
	for ; i < len(line); i++ {
		if line[i] == s.delimiter {
			cells = append(cells, line[start:i:i])
			start = i + 1
		}
	}
	s.cells = append(cells, line[start:])
}

// careful cuts a row that has quotes or escapes and may go over several lines.
func (s *splitter) careful(data []byte, end ending, mode strictness) (n, body int, v verdict) {
	s.cells, s.quoted = s.cells[:0], s.quoted[:0]
	at := 0
	for {
		if s.quoting && at < len(data) && data[at] == s.quote {
			at, v = s.quotedCell(data, at+1, end)
		} else {
			at, v = s.bareCell(data, at, mode)
		}
		switch {
		case v != rowWhole:
			return 0, 0, v
		case at == len(data) && end == moreFollows:
			return 0, 0, rowCut
		case at == len(data) || data[at] == '\n':
			body = at
			if at > 0 && data[at-1] == '\r' && !s.escapedAt(data, at-1) {
				body--
			}
			return min(at+1, len(data)), body, rowWhole
		}
		at++ // the delimiter
	}
}

// escapedAt says whether the byte at i stands behind an escape, so that a CR is part of the cell.
func (s *splitter) escapedAt(data []byte, i int) bool {
	escapes := 0
	for i > escapes && s.escape != 0 && data[i-1-escapes] == s.escape {
		escapes++
	}
	return escapes%2 == 1
}

// bareCell cuts an unquoted cell and gives where its delimiter or line end stands.
func (s *splitter) bareCell(data []byte, start int, mode strictness) (int, verdict) {
	at, escaped := start, false
	for ; at < len(data) && data[at] != s.delimiter && data[at] != '\n'; at++ {
		switch {
		case s.escape != 0 && data[at] == s.escape:
			escaped = true
			if at++; at == len(data) {
				return at, rowCut
			}
		case mode == strict && s.quoting && data[at] == s.quote:
			s.opened = len(s.cells)
			return at, rowUnquote
		}
	}
	cell := data[start:at:at]
	if last := len(cell) - 1; last >= 0 && cell[last] == '\r' && (at == len(data) || data[at] == '\n') && !s.escapedAt(data, at-1) {
		cell = cell[:last]
	}
	if escaped {
		cell = s.unescaped(cell, s.escape)
	}
	s.cells = append(s.cells, cell)
	return at, rowWhole
}

// quotedCell cuts a cell whose opening quote stands before start and gives where its delimiter or line end stands.
func (s *splitter) quotedCell(data []byte, start int, end ending) (int, verdict) {
	s.opened = len(s.cells)
	at, doubled := start, false
	for {
		i := s.nextQuote(data[at:])
		if i < 0 {
			return at, rowCut
		}
		at += i + 1
		if data[at-1] != s.quote { // an escape
			if at == len(data) {
				return at, rowCut
			}
			doubled, at = true, at+1
			continue
		}
		if at == len(data) && end == moreFollows {
			return at, rowCut
		}
		if at == len(data) || data[at] != s.quote {
			break
		}
		doubled, at = true, at+1
	}
	cell := data[start : at-1 : at-1]
	if doubled {
		cell = s.unescaped(cell, s.quote)
	}
	s.quoted = s.quoted.With(len(s.cells))
	s.cells = append(s.cells, cell)
	return s.behindQuote(data, at, end)
}

// behindQuote checks that a delimiter, a line end or nothing stands at at.
func (s *splitter) behindQuote(data []byte, at int, end ending) (int, verdict) {
	if at < len(data) && data[at] == '\r' {
		if at+1 == len(data) && end == moreFollows {
			return at, rowCut
		}
		if at+1 == len(data) || data[at+1] == '\n' {
			return at + 1, rowWhole
		}
	}
	if at == len(data) || data[at] == s.delimiter || data[at] == '\n' {
		return at, rowWhole
	}
	return at, rowUnquote
}

// nextQuote finds the next quote or escape.
func (s *splitter) nextQuote(data []byte) int {
	i := bytes.IndexByte(data, s.quote)
	if s.escape == 0 {
		return i
	}
	if i < 0 {
		i = len(data)
	}
	if j := bytes.IndexByte(data[:i], s.escape); j >= 0 {
		return j
	}
	if i == len(data) {
		return -1
	}
	return i
}

// unescaped gives cell with each escape, and the first of each two doubled bytes, taken out. It lives in the scratch.
func (s *splitter) unescaped(cell []byte, doubled byte) []byte {
	start := len(s.scratch)
	for i := 0; i < len(cell); i++ {
		if (cell[i] == doubled || s.escape != 0 && cell[i] == s.escape) && i+1 < len(cell) {
			i++
		}
		s.scratch = append(s.scratch, cell[i])
	}
	return s.scratch[start:len(s.scratch):len(s.scratch)]
}

// toUTF8 replaces each cell that has bytes above 127 by the UTF-8 of its code points.
func (s *splitter) toUTF8() {
	for i, cell := range s.cells {
		if isASCII(cell) {
			continue
		}
		start := len(s.scratch)
		for _, b := range cell {
			if b < 0x80 {
				s.scratch = append(s.scratch, b)
			} else {
				s.scratch = append(s.scratch, 0xc0|b>>6, 0x80|b&0x3f)
			}
		}
		s.cells[i] = s.scratch[start:len(s.scratch):len(s.scratch)]
	}
}

func isASCII(cell []byte) bool {
	for _, b := range cell {
		if b >= 0x80 {
			return false
		}
	}
	return true
}
