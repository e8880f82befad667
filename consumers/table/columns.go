package table

import (
	"strconv"
	"time"

	"stripeline/schemas/rowplan"
)

// columns turns records into flat rows of cells.
type columns struct {
	meta   bool
	cells  rowplan.Flat
	joined rowplan.Flat
	key    rowplan.Flat
}

var metaNames = []string{"partition", "offset", "timestamp", "key"}

// names are the column names of a record.
func (c *columns) names(w *rowplan.Walker) []string {
	var all []string
	if c.meta {
		all = append(all, metaNames...)
	}
	if w == nil {
		return append(all, "value")
	}
	return append(all, w.Columns()...)
}

// row gives a record's cells; they are valid until the next call. A tombstone has one null cell for each column of its walker.
func (c *columns) row(r *Record) (*rowplan.Flat, error) {
	if r.Walker != nil {
		if err := r.Walker.Cells(&c.cells, r.Payload); err != nil {
			return nil, err
		}
	} else {
		reset(&c.cells)
		addCell(&c.cells, r.Value, r.Value == nil)
	}
	if !c.meta {
		return &c.cells, nil
	}
	reset(&c.joined)
	addCell(&c.joined, strconv.AppendInt(nil, int64(r.Partition), 10), false)
	addCell(&c.joined, strconv.AppendInt(nil, r.Offset, 10), false)
	addCell(&c.joined, r.Time.UTC().AppendFormat(nil, time.RFC3339Nano), false)
	if err := c.addKey(r); err != nil {
		return nil, err
	}
	for i := range c.cells.Len() {
		addCell(&c.joined, c.cells.Cell(i), c.cells.Null.Has(i))
	}
	return &c.joined, nil
}

// addKey adds the cell of the key: what an Avro key holds, JSON where that is a record.
func (c *columns) addKey(r *Record) (err error) {
	if r.KeyWalker == nil {
		addCell(&c.joined, r.Key, r.Key == nil)
		return nil
	}
	if len(r.KeyWalker.Fields()) == 0 {
		if err = r.KeyWalker.Cells(&c.key, r.KeyPayload); err == nil && c.key.Len() == 1 {
			addCell(&c.joined, c.key.Cell(0), c.key.Null.Has(0))
			return nil
		}
	}
	reset(&c.key)
	if c.key.Text, err = r.KeyWalker.AppendJSON(c.key.Text, r.KeyPayload); err == nil {
		addCell(&c.joined, c.key.Text, false)
	}
	return err
}

func reset(f *rowplan.Flat) {
	f.Text, f.Ends = f.Text[:0], f.Ends[:0]
	clear(f.Null)
}

func addCell(f *rowplan.Flat, text []byte, null bool) {
	if null {
		f.Null = f.Null.With(len(f.Ends))
	}
	f.Text = append(f.Text, text...)
	f.Ends = append(f.Ends, len(f.Text))
}
