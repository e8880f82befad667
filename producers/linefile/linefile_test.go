package linefile_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"stripeline/producers/linefile"
	"stripeline/producers/textfile"
	"stripeline/schemas/rowplan"
)

// lines reads a text to its end; a line that is too long has a ! before it.
func lines(t testing.TB, o linefile.Options) []string {
	t.Helper()
	s, err := linefile.Open(t.Context(), "-", o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var batches []*rowplan.Batch
	for err == nil { // looked at when everything has been read
		batches = append(batches, &rowplan.Batch{})
		err = s.Fill(t.Context(), batches[len(batches)-1])
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	var out []string
	for _, b := range batches {
		for _, row := range b.Rows {
			mark := ""
			if row.Err != nil {
				mark = "!"
			}
			out = append(out, fmt.Sprintf("%d:%d %s%s", row.Line, row.Offset, mark, row.Raw))
		}
	}
	return out
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text string
		max  int
		want []string
	}{
		{"", 0, nil}, {"a", 0, []string{"1:0 a"}}, {"a\n", 0, []string{"1:0 a"}}, {"\xef\xbb\xbfa\r\n\nb\x00\"\n", 0, []string{"1:3 a", "2:6 ", "3:7 b\x00\""}},
		{"12345\n1234\r\n123456\n\n12345", 4, []string{"1:0 !1234", "2:6 1234", "3:12 !1234", "4:19 ", "5:20 !1234"}},
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(c.text), "byte by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
			if got := lines(t, linefile.Options{Stdin: r, MaxLine: c.max}); !slices.Equal(got, c.want) {
				t.Errorf("%q %s: %q, want %q", c.text, name, got, c.want)
			}
		}
	}
}

func TestEveryByteIsInALine(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.StringMatching(`[a-z]{0,9}`)).Draw(r, "lines"), "\n")
		want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if text == "" {
			want = nil
		}
		got := lines(t, linefile.Options{Stdin: strings.NewReader(text)})
		for i := range got {
			_, got[i], _ = strings.Cut(got[i], " ")
		}
		if !slices.Equal(got, want) {
			r.Fatalf("%q: %q", text, got)
		}
	})
}

func TestResume(t *testing.T) {
	const text = "a\nb\nc\n"
	s, err := linefile.Open(t.Context(), "-", linefile.Options{Stdin: strings.NewReader(text[:2])})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fill(t.Context(), &rowplan.Batch{}); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	at := s.Position()
	if got := lines(t, linefile.Options{Stdin: strings.NewReader(text), Resume: &at}); !slices.Equal(got, []string{"2:2 b", "3:4 c"}) {
		t.Errorf("resumed: %q", got)
	}
	if _, err := linefile.Open(t.Context(), "-", linefile.Options{Stdin: strings.NewReader("x\nb\n"), Resume: &at}); !errors.Is(err, textfile.ErrChanged) {
		t.Errorf("resumed on another text: %v", err)
	}
	if _, err := linefile.Open(t.Context(), "-", linefile.Options{MaxLine: -1}); !errors.Is(err, linefile.ErrOptions) {
		t.Errorf("a negative length: %v", err)
	}
}
