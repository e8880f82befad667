package rowplan

import "fmt"

// fault says why a text is not a value of its type; faultNone means that it is. A small number and not an error, so that trying the branches
// of a union costs nothing.
type fault uint8

const (
	faultNone fault = iota
	faultType
	faultRange
	faultNull
	faultScale
	faultFraction
	faultUTF8
	faultSymbol
	faultZone
	faultJSON
	faultMember
	faultSize
)

// faults gives each fault's code for programs and reason for people.
var faults = [...]struct{ code, reason string }{
	faultNone:     {"none", ""},
	faultType:     {"type", "the text is not a value of this type"},
	faultRange:    {"range", "the value is outside the type's range"},
	faultNull:     {"null", "the cell is null or empty and the field has no null"},
	faultScale:    {"scale", "the value has more digits than the type keeps, and nothing is rounded"},
	faultFraction: {"fraction", "the fraction of a second is finer than the type, and nothing is rounded"},
	faultUTF8:     {"utf8", "the text is not valid UTF-8; is the file Latin-1?"},
	faultSymbol:   {"symbol", "the text is none of the enum's symbols"},
	faultZone:     {"zone", "a timestamp needs Z or an offset and a local timestamp has none; a time format reads other texts"},
	faultJSON:     {"json", "the text is not JSON of this type"},
	faultMember:   {"member", "a JSON object lacks a field that has no default, or has a member that is no field"},
	faultSize:     {"size", "the number of bytes is not the type's"},
}

// MaxErrorValue is how many bytes of a cell a CellError keeps: the whole row is kept as the reject's value anyway.
const MaxErrorValue = 1024

// CellError says which cell does not fit its field. It holds copies only and outlives the row.
type CellError struct {
	Code     string // one word for programs: type, range, null, scale, fraction, utf8, symbol, zone, json, member, size
	Column   string // name in the header
	Index    int    // column number, from 0
	Value    []byte // the cell, cut at MaxErrorValue bytes
	Expected string // the type, as in "long (timestamp-millis) or null"
	Reason   string // one clause for people
}

// Error names column, value and expected type on one line.
func (e *CellError) Error() string {
	value := e.Value
	if len(value) > 60 {
		value = value[:60]
	}
	return fmt.Sprintf("column %q: %q is not %s: %s", e.Column, value, e.Expected, e.Reason)
}

// RowError says why a row as a whole cannot be used: it could not be split, or has the wrong number of cells.
type RowError struct {
	Code   string // one word for programs: columns, quote, nul, length
	Column string // name in the header of the column where the trouble begins, "" where none is known
	Reason string // one line for people
}

// Error gives the reason.
func (e *RowError) Error() string { return e.Reason }
