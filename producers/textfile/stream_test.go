package textfile_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"

	"stripeline/producers/textfile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, r io.Reader) *textfile.Stream {
	t.Helper()
	s, err := textfile.Open(t.Context(), "-", textfile.Options{Stdin: r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestStreamGivesEveryByte consumes pieces of all sizes, some larger than the window was, and checks bytes, offset and CRC at each.
func TestStreamGivesEveryByte(t *testing.T) {
	text := make([]byte, 5<<20)
	for i := range text {
		text[i] = byte(rand.IntN(256))
	}
	text[0] = 'x'
	s := open(t, bytes.NewReader(text))
	table := crc32.MakeTable(crc32.Castagnoli)
	for at, step := 0, 1; at < len(text); step = step*3%(2<<20) + 1 {
		n := min(step, len(text)-at)
		for len(s.Bytes()) < n {
			if err := s.More(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(s.Bytes()[:n], text[at:at+n]) {
			t.Fatalf("bytes differ at %d", at)
		}
		s.Consume(n, 0)
		at += n
		if p := s.Position(); p.Offset != int64(at) || p.Sum != crc32.Checksum(text[:at], table) {
			t.Fatalf("at %d: %+v", at, p)
		}
	}
	for range 2 {
		if err := s.More(t.Context()); err != io.EOF {
			t.Errorf("behind the end: %v", err)
		}
	}
}

func TestStreamPassesErrorsOn(t *testing.T) {
	broken := errors.New("disk on fire")
	s := open(t, io.MultiReader(strings.NewReader("abcdef"), iotest.ErrReader(broken)))
	var err error
	for err == nil {
		err = s.More(t.Context())
	}
	if !errors.Is(err, broken) || string(s.Bytes()) != "abcdef" {
		t.Errorf("%q, then %v", s.Bytes(), err)
	}
}

// TestStreamWaitsAgain: a wait that was cancelled loses nothing.
func TestStreamWaitsAgain(t *testing.T) {
	r, w := io.Pipe()
	go w.Write([]byte("abcd")) // as many as tell compressed from plain
	s := open(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.More(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	go func() {
		w.Write([]byte("ef"))
		w.Close()
	}()
	for s.More(t.Context()) == nil {
	}
	if string(s.Bytes()) != "abcdef" {
		t.Errorf("got %q", s.Bytes())
	}
}

func TestResumeRefusesALineThatWasReadAsWholeAndGoesOn(t *testing.T) {
	table := crc32.MakeTable(crc32.Castagnoli)
	at := textfile.Position{Offset: 4, Line: 1, Row: 2, Sum: crc32.Checksum([]byte("1\n22"), table)}
	for text, want := range map[string]error{"1\n22": nil, "1\n223": textfile.ErrChanged, "1\n22\n": nil, "1\n22\r\n3": nil, "1\n2": textfile.ErrChanged, "1\n32": textfile.ErrChanged} {
		s := open(t, strings.NewReader(text))
		if err := s.Resume(t.Context(), at); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}
