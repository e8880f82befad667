package csvfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"stripeline/producers/csvfile"
	"stripeline/producers/textfile"
	"stripeline/schemas/rowplan"
)

// dump reads text to its end and writes each row as line:offset cells, quoted cells in «», or the code of what is wrong with the row's bytes.
func dump(t testing.TB, text string, o csvfile.Options) []string {
	t.Helper()
	o.Stdin = strings.NewReader(text)
	return dumpName(t, "-", o)
}

// TestBatchesAreWhatIsAtHand: a row that has to be waited for keeps none before it waiting, and the place behind a batch is between rows.
func TestBatchesAreWhatIsAtHand(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	give := func(text string) { go w.Write([]byte(text)) }
	give("a,b\n")
	s, err := csvfile.Open(t.Context(), "-", csvfile.Options{Stdin: r, Comment: '#'})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b rowplan.Batch
	for _, c := range []struct {
		text string
		rows int
		at   int64 // offset behind the rows
	}{
		{"1,2\n3,4\n5,", 2, 12}, {"6\n# about", 1, 16}, {" this\n7,8\n9,\"x", 1, 33}, {"\"\n\"y\"z,1\n", 1, 39}, {"2,3\n", 2, 50},
	} {
		give(c.text)
		rows := 0
		for rows < c.rows {
			if err := s.Fill(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			rows += len(b.Rows)
		}
		if at := s.Position(); rows != c.rows || at.Offset != c.at {
			t.Fatalf("%q: %d rows, then at %d; want %d rows, at %d", c.text, rows, at.Offset, c.rows, c.at)
		}
	}
	many := strings.Repeat("1,\"2\"\n", 3*rowplan.BatchRows)
	rows := strings.NewReader("a,b\n" + many)
	if s, err = csvfile.Open(t.Context(), "-", csvfile.Options{Stdin: rows}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		if err = s.Fill(t.Context(), &b); len(b.Rows) > rowplan.BatchRows {
			t.Fatalf("a batch of %d rows", len(b.Rows))
		}
	}
}

func dumpName(t testing.TB, name string, o csvfile.Options) []string {
	t.Helper()
	s, err := csvfile.Open(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []string
	for {
		row, err := s.Next(t.Context())
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, shown(row))
	}
}

func shown(row rowplan.Row) string {
	at := fmt.Sprintf("%d:%d ", row.Line, row.Offset)
	if bad := (*rowplan.RowError)(nil); errors.As(row.Err, &bad) {
		return at + "!" + bad.Code + fmt.Sprintf(" %q", row.Raw)
	}
	var cells []string
	for i, cell := range row.Cells {
		if row.Quoted.Has(i) {
			cells = append(cells, "«"+string(cell)+"»")
		} else {
			cells = append(cells, string(cell))
		}
	}
	return at + strings.Join(cells, "|")
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          csvfile.Options
		want       []string
	}{
		{"plain", "a,b\n1,2\n3,4\n", csvfile.Options{}, []string{"2:4 1|2", "3:8 3|4"}},
		{"no last line end", "a,b\n1,", csvfile.Options{}, []string{"2:4 1|"}},
		{"CRLF mixed with LF", "a,b\r\n1,2\n3,\"4\"\r\n5,6\r", csvfile.Options{}, []string{"2:5 1|2", "3:9 3|«4»", "4:16 5|6"}},
		{"byte order mark", "\xef\xbb\xbfa,b\n1,2\n", csvfile.Options{}, []string{"2:7 1|2"}},
		{"quotes", "a,b\n\"x,\"\"y\"\"\nz\",\"\"\n2,3\n", csvfile.Options{}, []string{"2:4 «x,\"y\"\nz»|«»", "4:19 2|3"}},
		{"CRLF in quotes stays", "a,b\n\"x\r\ny\",1\n", csvfile.Options{}, []string{"2:4 «x\r\ny»|1"}},
		{"quote in a bare cell", "a,b\n5\" pipe,1\n", csvfile.Options{}, []string{"2:4 5\" pipe|1"}},
		{"blank and comment lines", "# c\n\na,b\n\n#x\n1,2\n\r\n3,4\n\n", csvfile.Options{Comment: '#'}, []string{"6:13 1|2", "8:19 3|4"}},
		{"ragged", "a,b\n1\n1,2,3\n", csvfile.Options{}, []string{"2:4 1", "3:6 1|2|3"}},
		{"named columns", "1,2\n", csvfile.Options{Columns: []string{"a", "b"}}, []string{"1:0 1|2"}},
		{"delimiter and quote", "a;b\n'1;''2';3\n", csvfile.Options{Delimiter: ';', Quote: '\''}, []string{"2:4 «1;'2»|3"}},
		{"tabs without quoting", "a\tb\n\"x\t2\n", csvfile.Options{Delimiter: '\t', Quote: csvfile.None}, []string{"2:4 \"x|2"}},
		{"escape", "a,b\n\"x\\\"y\\\\\",p\\,q\n1,2\\\n3\n", csvfile.Options{Escape: '\\'}, []string{"2:4 «x\"y\\»|p,q", "3:18 1|2\n3"}},
		{"Latin-1", "a,b\n\xe9t\xe9,\"\xff\"\n", csvfile.Options{Latin1: true}, []string{"2:4 été|«ÿ»"}},
		{"NUL", "a,b\n1,\x002\n3,4\n", csvfile.Options{}, []string{"2:4 !nul \"1,\\x002\"", "3:9 3|4"}},
		{"unclosed at the end", "a,b\n1,2\n3,\"x\n", csvfile.Options{}, []string{"2:4 1|2", "3:8 !quote \"3,\\\"x\""}},
		{"unclosed, no quotes follow", "a,b\n1,\"x\n3,4\n5,6\n", csvfile.Options{}, []string{"2:4 !quote \"1,\\\"x\"", "3:9 3|4", "4:13 5|6"}},
		{"unclosed, a later row has quotes", "a,b\n1,\"x\n3,\"y\"\n5,6\n", csvfile.Options{}, []string{"2:4 !quote \"1,\\\"x\"", "3:9 3|«y»", "4:15 5|6"}},
		{"unclosed, closed by a later row", "a,b,c\n1,\"x,2\n3,4,\"\n5,6,7\n", csvfile.Options{},
			[]string{"2:6 !quote \"1,\\\"x,2\"", "3:13 !quote \"3,4,\\\"\"", "4:19 5|6|7"}},
		{"two unclosed", "a,b\n1,\"x\n2,\"y\n5,6\n", csvfile.Options{}, []string{"2:4 !quote \"1,\\\"x\"", "3:9 !quote \"2,\\\"y\"", "4:14 5|6"}},
		{"unclosed, closed inside a bare cell", "a,b\n1,\"x\n3,y\"z\n5,6\n7,u\"v\n", csvfile.Options{},
			[]string{"2:4 !quote \"1,\\\"x\"", "3:9 !quote \"3,y\\\"z\"", "4:15 5|6", "5:19 7|u\"v"}},
		{"text behind a quote", "a,b\n1,\"x\"y\n5,6\n", csvfile.Options{}, []string{"2:4 !quote \"1,\\\"x\\\"y\"", "3:11 5|6"}},
		{"too long", "a,b\n1,1234567\n5,6\n", csvfile.Options{MaxRow: 8}, []string{"2:4 !length \"1,123456\"", "3:14 5|6"}},
		{"just not too long", "a,b\n1,123456\r\n5,6\n", csvfile.Options{MaxRow: 8}, []string{"2:4 1|123456", "3:14 5|6"}},
		{"unclosed beyond the longest row", "a,b\n1,\"x\n3,4\n5,6\n7,8\n9,0\n", csvfile.Options{MaxRow: 8},
			[]string{"2:4 !quote \"1,\\\"x\"", "3:9 3|4", "4:13 5|6", "5:17 7|8", "6:21 9|0"}},
		{"open cell beyond the longest row", "a,b\n1,\"x\ny\nz\nu\nv\nw\"\n7,8\n", csvfile.Options{MaxRow: 8},
			[]string{"2:4 !length \"1,\\\"x\\ny\\nz\\nu\\nv\\nw\\\"\"", "8:20 7|8"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := dump(t, c.text, c.o); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			c.o.Stdin = iotest.OneByteReader(strings.NewReader(c.text))
			if got := dumpName(t, "-", c.o); !slices.Equal(got, c.want) {
				t.Errorf("byte by byte\ngot  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestBadHeader(t *testing.T) {
	for _, c := range []struct {
		text string
		o    csvfile.Options
		want error
	}{
		{"", csvfile.Options{}, csvfile.ErrHeader}, {"\n\n", csvfile.Options{}, csvfile.ErrHeader}, {"\"a,b\n1,2\n", csvfile.Options{}, csvfile.ErrHeader},
		{"a,\x00b\n1,2\n", csvfile.Options{}, csvfile.ErrHeader}, {"a,\xe9\n1,2\n", csvfile.Options{}, csvfile.ErrHeader},
		{"abcdefghi\n1,2\n", csvfile.Options{MaxRow: 8}, csvfile.ErrHeader}, {"\xff\xfea\x00", csvfile.Options{}, textfile.ErrEncoding},
		{"a", csvfile.Options{Delimiter: '"'}, csvfile.ErrOptions}, {"a", csvfile.Options{Delimiter: '\n'}, csvfile.ErrOptions},
		{"a", csvfile.Options{Delimiter: 0xa7}, csvfile.ErrOptions}, {"a", csvfile.Options{MaxRow: -1}, csvfile.ErrOptions},
	} {
		c.o.Stdin = strings.NewReader(c.text)
		if s, err := csvfile.Open(t.Context(), "-", c.o); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, %v; want %v", c.text, s, err, c.want)
		}
	}
	if _, err := csvfile.Open(t.Context(), filepath.Join(t.TempDir(), "none"), csvfile.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := csvfile.Open(t.Context(), t.TempDir(), csvfile.Options{}); err == nil {
		t.Error("a directory opens")
	}
}

func TestAgainstEncodingCSV(t *testing.T) {
	for _, name := range []string{"testdata/airports.csv", "testdata/airlines.csv"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		s, err := csvfile.Open(t.Context(), name, csvfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if !slices.Equal(s.Header(), want[0]) {
			t.Errorf("%s: header %q", name, s.Header())
		}
		for i, cells := range want[1:] {
			row, err := s.Next(t.Context())
			if err != nil || row.Err != nil {
				t.Fatalf("%s row %d: %v, %v", name, i, err, row.Err)
			}
			got := make([]string, len(row.Cells))
			for j, cell := range row.Cells {
				got[j] = string(cell)
			}
			if !slices.Equal(got, cells) || !bytes.HasPrefix(text[row.Offset:], row.Raw) || bytes.Count(text[:row.Offset], []byte("\n"))+1 != int(row.Line) {
				t.Fatalf("%s row %d: %q at %d, line %d; want %q", name, i, got, row.Offset, row.Line, cells)
			}
		}
		if _, err := s.Next(t.Context()); err != io.EOF {
			t.Errorf("%s: %v at the end", name, err)
		}
		if p := s.Position(); p.Offset != int64(len(text)) || p.Row != int64(len(want)-1) {
			t.Errorf("%s: position at the end %+v", name, p)
		}
	}
}

func TestCompressed(t *testing.T) {
	plain, err := os.ReadFile("testdata/airlines.csv")
	if err != nil {
		t.Fatal(err)
	}
	want := dump(t, string(plain), csvfile.Options{})
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(plain)
	g.Close()
	z, _ := zstd.NewWriter(&zst)
	z.Write(plain)
	z.Close()
	for name, content := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zst.Bytes()} {
		path := filepath.Join(t.TempDir(), "data.csv") // known by its content, not by its name
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := dumpName(t, path, csvfile.Options{}); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		os.WriteFile(path, content[:len(content)-9], 0o644)
		s, err := csvfile.Open(t.Context(), path, csvfile.Options{})
		for err == nil {
			_, err = s.Next(t.Context())
		}
		if err == io.EOF || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("%s cut off: %v", name, err)
		}
	}
}

func TestResume(t *testing.T) {
	const text = "\xef\xbb\xbfa,b\n1,2\n\"x\ny\",4\n5,\"z\n6,7\n8,9"
	whole := dump(t, text, csvfile.Options{})
	for stop := range whole {
		s, err := csvfile.Open(t.Context(), "-", csvfile.Options{Stdin: strings.NewReader(text)})
		if err != nil {
			t.Fatal(err)
		}
		for range stop {
			s.Next(t.Context())
		}
		at := s.Position()
		if at.Row != int64(stop) {
			t.Errorf("after %d rows: %+v", stop, at)
		}
		if got := dump(t, text, csvfile.Options{Resume: &at}); !slices.Equal(got, whole[stop:]) {
			t.Errorf("resumed after %d rows: %q, want %q", stop, got, whole[stop:])
		}
		for _, changed := range []string{"\xef\xbb\xbfA" + text[4:], text[:2]} {
			o := csvfile.Options{Resume: &at, Stdin: strings.NewReader(changed), Columns: []string{"a", "b"}}
			if _, err := csvfile.Open(t.Context(), "-", o); !errors.Is(err, textfile.ErrChanged) {
				t.Errorf("resume on a changed text: %v", err)
			}
		}
	}
}

func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grows.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	file.WriteString("a,b\n1,")
	s, err := csvfile.Open(t.Context(), path, csvfile.Options{Follow: true, Poll: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 3 {
		fmt.Fprintf(file, "%d\n1,", i)
		row, err := s.Next(t.Context())
		if err != nil || shown(row) != fmt.Sprintf("%d:%d 1|%d", i+2, 4+4*i, i) {
			t.Fatalf("%s, %v", shown(row), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while it waits: %v", err)
	}
	if err := file.Truncate(3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(t.Context()); err == nil || !strings.Contains(err.Error(), "shrank") {
		t.Errorf("a followed file that shrinks: %v", err)
	}
}

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.csv", "c.txt", "odd[1].csv"} {
		os.WriteFile(filepath.Join(dir, name), nil, 0o644)
	}
	in := func(names ...string) (out []string) {
		for _, n := range names {
			out = append(out, filepath.Join(dir, n))
		}
		return out
	}
	got, err := csvfile.Expand(append(in("c.txt", "?.csv", "a*", "odd[1].csv", "none"), "-"))
	if want := append(in("c.txt", "a.csv", "b.csv", "odd[1].csv", "none"), "-"); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := csvfile.Expand(in("*.parquet")); !errors.Is(err, csvfile.ErrNoFiles) {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
}
