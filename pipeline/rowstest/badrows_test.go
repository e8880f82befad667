package rowstest

import (
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// typedSchema types the columns of typedHeader: flights with a column of every type that can go wrong in its own way.
const (
	typedHeader = flightsHeader + ",fare,service_date,on_time,booking,gate,stops"
	typedSchema = `{"type":"record","name":"flight","fields":[
 {"name":"year","type":"int"},{"name":"month","type":"int"},{"name":"day","type":"int"},{"name":"dep_time","type":["null","int"]},
 {"name":"sched_dep_time","type":"int"},{"name":"dep_delay","type":["null","double"]},{"name":"arr_time","type":["null","int"]},
 {"name":"sched_arr_time","type":"int"},{"name":"arr_delay","type":["null","double"]},{"name":"carrier","type":"string"},{"name":"flight","type":"long"},
 {"name":"tailnum","type":["null","string"]},{"name":"origin","type":{"type":"enum","name":"origin","symbols":["EWR","JFK","LGA"]}},
 {"name":"dest","type":"string"},{"name":"air_time","type":["null","double"]},{"name":"distance","type":"int"},{"name":"hour","type":"int"},
 {"name":"minute","type":"int"},{"name":"time_hour","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"fare","type":{"type":"bytes","logicalType":"decimal","precision":7,"scale":2}},
 {"name":"service_date","type":{"type":"int","logicalType":"date"}},{"name":"on_time","type":"boolean"},
 {"name":"booking","type":{"type":"string","logicalType":"uuid"}},{"name":"gate","type":{"type":"fixed","name":"gate","size":4}},
 {"name":"stops","type":{"type":"array","items":"int"}}]}`
	maxRow = 8 << 10
)

// typed adds to the cells of a flight those of the columns behind it.
func typed(cells []string, r *rand.Rand) []string {
	digits := func(n int) string {
		text := make([]byte, n)
		for i := range text {
			text[i] = "0123456789abcdef"[r.IntN(16)]
		}
		return string(text)
	}
	return append(cells, pick(r, "12.50", "99999.99", "-0.01", "7"), pick(r, "2013-02-28", "2012-02-29", "1969-12-31"), pick(r, "true", "false"),
		digits(8)+"-"+digits(4)+"-"+digits(4)+"-"+digits(4)+"-"+digits(12), pick(r, "A001", "Z\u00e93"), pick(r, "[]", `"[1,2]"`))
}

// kind is one way in which a row is wrong, and what its reject must say.
type kind struct {
	name   string
	code   string
	column string // "" where no single one is to blame
	cell   string // as it stands in the file; for the kinds without spoil it replaces the column's
	spoil  func(cells []string) []string
}

// kinds are 25; 40 rows of each make a thousand.
var kinds = []kind{
	{name: "word for a number", code: "type", column: "dep_time", cell: "half past"},
	{name: "fraction for an int", code: "type", column: "distance", cell: "12.5"},
	{name: "int overflow", code: "range", column: "minute", cell: "2147483648"},
	{name: "long overflow", code: "range", column: "flight", cell: "-9223372036854775809"},
	{name: "bad double", code: "type", column: "dep_delay", cell: "1.2.3"},
	{name: "double overflow", code: "range", column: "arr_delay", cell: "1e999"},
	{name: "no such month", code: "type", column: "time_hour", cell: "2013-13-01T10:00:00Z"},
	{name: "timestamp without a zone", code: "zone", column: "time_hour", cell: "2013-01-01T10:00:00"},
	{name: "fraction finer than milliseconds", code: "fraction", column: "time_hour", cell: "2013-01-01T10:00:00.0005Z"},
	{name: "no such day", code: "type", column: "service_date", cell: "2013-02-29"},
	{name: "no such symbol", code: "symbol", column: "origin", cell: "ewr"},
	{name: "bad boolean", code: "type", column: "on_time", cell: "maybe"},
	{name: "decimal scale", code: "scale", column: "fare", cell: "1.234"},
	{name: "decimal precision", code: "range", column: "fare", cell: "100000.00"},
	{name: "bad uuid", code: "type", column: "booking", cell: "12345678-1234-1234-1234-12345678901g"},
	{name: "size of a fixed", code: "size", column: "gate", cell: "A01"},
	{name: "bad JSON", code: "json", column: "stops", cell: `"[1,2"`},
	{name: "bad UTF-8", code: "utf8", column: "dest", cell: "M\xfcnchen"},
	{name: "null token without a null", code: "null", column: "year", cell: "NA"},
	{name: "empty without a null", code: "null", column: "sched_arr_time", cell: ""},
	{name: "too few columns", code: "columns", spoil: func(cells []string) []string { return cells[:20] }},
	{name: "too many columns", code: "columns", spoil: func(cells []string) []string { return append(cells, "more") }},
	{name: "NUL", code: "nul", column: "tailnum", cell: "N1\x002"},
	{name: "unclosed quote", code: "quote", column: "carrier", cell: `"U`},
	{name: "row over the longest", code: "length", spoil: func(cells []string) []string {
		cells[11] = strings.Repeat("N", maxRow+1)
		return cells
	}},
}

// structural says whether the row cannot be cut into the right cells; such a row has no other quotes, so that it is one line.
func (k kind) structural() bool { return k.spoil != nil || k.code == "quote" || k.code == "nul" }

// row gives the text of a row that is wrong in this way.
func (k kind) row(cells []string) string {
	if k.structural() {
		for i, cell := range cells {
			if strings.Contains(cell, `"`) {
				cells[i] = "x"
			}
		}
		cells[len(cells)-1] = "[]"
	}
	if k.spoil != nil {
		return strings.Join(k.spoil(cells), ",")
	}
	for i, name := range strings.Split(typedHeader, ",") {
		if name == k.column {
			cells[i] = k.cell
		}
	}
	return strings.Join(cells, ",")
}

// value is what the reject must give as the cell's value.
func (k kind) value() string {
	if k.structural() {
		return ""
	}
	return strings.Trim(k.cell, `"`)
}

// seeded is a bad row with its place in the text.
type seeded struct {
	kind
	line, offset int
	raw          string
}

// seed puts a bad row of each kind, each times over, between the rows that next gives (nil behind the last), at places that follow from r. A row with
// an unclosed quote is followed by a good one, since where lines do not parse nobody can say whose they are.
type seed struct {
	rows int // good ones, about as many as next gives
	each int
	rand *rand.Rand
	next func() []string

	text  strings.Builder
	lines int
	bad   []seeded
	skip  map[int]bool // the lines of bad rows
	good  int
}

func (s *seed) sow() {
	var pool []kind
	for _, k := range kinds {
		for range s.each {
			pool = append(pool, k)
		}
	}
	s.rand.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	s.skip = map[int]bool{}
	s.line(typedHeader)
	left := s.rows
	for cells := s.next(); cells != nil; cells = s.next() {
		s.line(strings.Join(typed(cells, s.rand), ","))
		s.good++
		for len(pool) > 0 && s.rand.IntN(max(left, 1)) < len(pool) {
			k := pool[0]
			pool = pool[1:]
			s.sowOne(k, typed(append([]string{}, cells[:19]...), s.rand))
			if k.code == "quote" {
				break
			}
		}
		left--
	}
	if len(pool) > 0 {
		panic("internal error: rows are left over")
	}
}

func (s *seed) sowOne(k kind, cells []string) {
	raw := k.row(cells)
	b := seeded{kind: k, line: s.lines + 1, offset: s.text.Len(), raw: raw}
	if k.code == "length" {
		b.raw = raw[:maxRow]
	}
	for range strings.Count(raw, "\n") + 1 {
		s.lines++
		s.skip[s.lines] = true
	}
	s.text.WriteString(raw + "\n")
	s.bad = append(s.bad, b)
}

func (s *seed) line(text string) {
	if !utf8.ValidString(text) {
		panic("internal error: a good row is not UTF-8")
	}
	s.lines += strings.Count(text, "\n") + 1
	s.text.WriteString(text + "\n")
}
