package rowplan

// Options change how cells are read. The zero value is: no null tokens, nothing trimmed, an extra column is an error.
type Options struct {
	Nulls       []string          // texts that mean null in every column
	Columns     map[string]Column // by name in the header; naming a column that the header lacks is an error
	TimeFormat  string            // for timestamps: a Go layout, a strftime format (with %), or epoch, epoch-s, epoch-ms, epoch-us, epoch-ns; "" is RFC 3339 or epoch
	DateFormat  string            // for dates: a Go layout or a strftime format; "" is YYYY-MM-DD
	Trim        bool              // cut spaces and tabs around unquoted cells, before null tokens are compared
	IgnoreExtra bool              // leave out columns that match no field, and members of JSON cells likewise
	References  []string          // schema texts that define named types used by the schema, in the order in which they build on each other
}

// Column is what holds for one column only.
type Column struct {
	Nulls  []string // further null tokens
	Format string   // time format of a date, time or timestamp; "" is that of Options
}

// Row is one row of a text file on its way to a record. Its slices alias memory of its source, which says how long they are valid.
type Row struct {
	File   string   // name of the file, "-" for standard input
	Line   int64    // number of its first line, from 1
	Offset int64    // its first byte in the stream after decompression, from 0
	Raw    []byte   // its bytes as they stand in the file, without the line end; the first part only when Err says so
	Cells  [][]byte // unquoted, unescaped, UTF-8
	Quoted Bits     // the cells that stood in quotes
	Err    error    // a *RowError when the row could not be split; Cells is then empty
}

// Batch is rows that are on their way together, with memory of theirs that is used again for other rows.
type Batch struct {
	Rows  []Row
	Spare [][]byte // per row: memory for cells that do not stand in the text as they are
	Most  int      // rows at once, BatchRows when 0
}

// What a batch holds at most; a row of any size fits into an empty one.
const (
	BatchRows  = 512
	BatchBytes = 256 << 10
)

// Takes says whether there is room for a further row behind so many bytes of text.
func (b *Batch) Takes(bytes int64) bool {
	most := b.Most
	if most == 0 {
		most = BatchRows
	}
	return len(b.Rows) < most && bytes < BatchBytes
}

// Next adds an empty row and gives it, with the memory that some row before it had. It is valid until the next call.
func (b *Batch) Next() *Row {
	if n := len(b.Rows); n < len(b.Spare) {
		b.Rows = b.Rows[:n+1]
	} else {
		b.Rows = append(b.Rows, Row{})
		b.Spare = append(b.Spare, nil)
	}
	r := &b.Rows[len(b.Rows)-1]
	*r = Row{Cells: r.Cells[:0], Quoted: r.Quoted[:0]}
	return r
}

// Bits is a set of small numbers: bit i of word i/64.
type Bits []uint64

// Has says whether i is in the set.
func (b Bits) Has(i int) bool { return i>>6 < len(b) && b[i>>6]&(1<<(i&63)) != 0 }

// With gives the set with i, growing it if needed; the old set is changed.
func (b Bits) With(i int) Bits {
	for len(b) <= i>>6 {
		b = append(b, 0)
	}
	b[i>>6] |= 1 << (i & 63)
	return b
}
