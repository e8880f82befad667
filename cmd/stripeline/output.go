package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
)

// output prints what a verb found out: for people as text or a table, for machines (--json) as one JSON value per line.
// It may be used by several goroutines; each call prints whole.
type output struct {
	mu     sync.Mutex
	w      io.Writer
	buffer *bufio.Writer
	json   bool
}

// emit prints v as a line of JSON under --json, otherwise what text writes.
func (o *output) emit(v any, text func(w io.Writer)) error {
	if err := o.emitLater(v, text); err != nil {
		return err
	}
	return o.flush()
}

// emitLater is emit without handing the text on at once: for many small results.
func (o *output) emitLater(v any, text func(w io.Writer)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.json {
		text(o.buffered())
		return nil
	}
	if err := json.NewEncoder(o.buffered()).Encode(v); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	return nil
}

// line prints one line of text; under --json it prints nothing.
func (o *output) line(format string, args ...any) {
	if o.json {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(o.buffered(), format+"\n", args...)
	_ = o.buffer.Flush()
}

// table is rows under a header, aligned for people; for machines each row is an object whose members are the header's words.
type table struct {
	header []string
	rows   [][]any
}

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// table prints t; an empty table prints its header alone, or nothing under --json.
func (o *output) table(t table) error {
	if !o.json {
		return o.emit(nil, func(w io.Writer) { writeTable(w, t) })
	}
	for _, row := range t.rows {
		object := make(map[string]any, len(row))
		for i, cell := range row {
			object[t.header[i]] = cell
		}
		if err := o.emit(object, nil); err != nil {
			return err
		}
	}
	return nil
}

func writeTable(w io.Writer, t table) {
	aligned := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for i, word := range t.header {
		fmt.Fprint(aligned, tab(i), word)
	}
	fmt.Fprintln(aligned)
	for _, row := range t.rows {
		for i, cell := range row {
			fmt.Fprint(aligned, tab(i), cell)
		}
		fmt.Fprintln(aligned)
	}
	_ = aligned.Flush()
}

func tab(column int) string {
	if column == 0 {
		return ""
	}
	return "\t"
}

func (o *output) buffered() *bufio.Writer {
	if o.buffer == nil {
		o.buffer = bufio.NewWriterSize(o.w, 64<<10)
	}
	return o.buffer
}

func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buffer == nil {
		return nil
	}
	return o.buffer.Flush()
}
