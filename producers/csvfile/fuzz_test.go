package csvfile_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"stripeline/producers/csvfile"
	"stripeline/schemas/rowplan"
)

// FuzzSource: rows never overlap, never leave the text, do not depend on how it was read; and where encoding/csv reads the whole text without
// an error, the cells are the same.
func FuzzSource(f *testing.F) {
	for _, text := range []string{"a,b\n1,2\n", "a,b\n\"x\"\"\ny\",2\r\n3,\"\n4,5\n", "a\n\"", "a,b\n1,\x00\n,\n\n", "a,b\n1,\"x\"y\n\"\n\"\"\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := csvfile.Options{Columns: []string{"a", "b"}, MaxRow: 16}
		whole := read(t, strings.NewReader(text), o)
		if bytewise := read(t, iotest.OneByteReader(strings.NewReader(text)), o); !slices.Equal(whole, bytewise) {
			t.Fatalf("%q at once %q, byte by byte %q", text, whole, bytewise)
		}
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
			if filled := fill(t, r, o); !slices.Equal(whole, filled) {
				t.Fatalf("%q row by row %q, in batches %q", text, whole, filled)
			}
		}
		checkPlaces(t, text, o)
		o.MaxRow = 1 << 20
		judge(t, text, o)
	})
}

func read(t *testing.T, r io.Reader, o csvfile.Options) []string {
	o.Stdin = r
	if _, ok := r.(*strings.Reader); !ok {
		defer func() { o.Stdin = nil }()
	}
	s, err := csvfile.Open(t.Context(), "-", o)
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Close()
	var out []string
	for {
		row, err := s.Next(t.Context())
		if err != nil {
			return append(out, err.Error())
		}
		out = append(out, shown(row))
	}
}

// fill reads in batches, and looks at the rows when all others have been read.
func fill(t testing.TB, r io.Reader, o csvfile.Options) (out []string) {
	o.Stdin = r
	s, err := csvfile.Open(t.Context(), "-", o)
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Close()
	var batches []*rowplan.Batch
	for err == nil {
		b := &rowplan.Batch{}
		if len(batches) == 0 { // memory of other rows makes no difference
			used := b.Next()
			used.Cells, used.Quoted, used.Raw, used.Err = make([][]byte, 5), rowplan.Bits{7}, []byte("x"), io.EOF
			b.Spare[0] = make([]byte, 1, 2)
		}
		if err = s.Fill(t.Context(), b); err == nil && len(b.Rows) == 0 {
			t.Fatal("a batch of no rows")
		}
		batches = append(batches, b)
	}
	for _, b := range batches {
		for _, row := range b.Rows {
			out = append(out, shown(row))
		}
	}
	return append(out, err.Error())
}

// checkPlaces checks that each row stands where it says, behind the one before it.
func checkPlaces(t *testing.T, text string, o csvfile.Options) {
	o.Stdin = strings.NewReader(text)
	s, err := csvfile.Open(t.Context(), "-", o)
	if err != nil {
		return
	}
	defer s.Close()
	end := int64(0)
	for {
		row, err := s.Next(t.Context())
		if err != nil {
			if p := s.Position(); p.Offset != int64(len(text)) || p.Line != int64(strings.Count(text, "\n")) {
				t.Fatalf("%q: ends at %+v", text, p)
			}
			return
		}
		if row.Offset < end || row.Line != int64(strings.Count(text[:row.Offset], "\n"))+1 {
			t.Fatalf("%q: row %q at %d, line %d, the one before ends at %d", text, row.Raw, row.Offset, row.Line, end)
		}
		if row.Err == nil && !strings.HasPrefix(text[row.Offset:], string(row.Raw)) {
			t.Fatalf("%q: row %q is not at %d", text, row.Raw, row.Offset)
		}
		if end = s.Position().Offset; end < row.Offset+int64(len(row.Raw)) && row.Err == nil {
			t.Fatalf("%q: row %q at %d ends at %d", text, row.Raw, row.Offset, end)
		}
	}
}

func judge(t *testing.T, text string, o csvfile.Options) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	want, err := r.ReadAll()
	if err != nil || strings.HasPrefix(text, "\xef\xbb\xbf") || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return
	}
	o.Stdin = strings.NewReader(text)
	s, err := csvfile.Open(t.Context(), "-", o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, cells := range want {
		row, err := s.Next(t.Context())
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if row.Err != nil && (bytes.IndexByte(row.Raw, 0) >= 0 || bytes.IndexByte(row.Raw, '\n') < 0 && strings.Contains(strings.Join(cells, ""), "\n")) {
			return // a NUL, or a row of the wrong width over several lines: stricter here
		}
		got := make([]string, len(row.Cells))
		for i, cell := range row.Cells {
			got[i] = strings.ReplaceAll(string(cell), "\r\n", "\n") // encoding/csv drops the CR inside quotes
		}
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "\r\n", "\n")
		}
		if !slices.Equal(got, cells) {
			t.Fatalf("%q: %q, %v; encoding/csv %q", text, got, row.Err, cells)
		}
	}
}
