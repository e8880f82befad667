// Package textfile is in the producers room: it gives the bytes of text files to those that cut them into rows and lines. It opens files and
// standard input, takes off gzip and zstd by content and a UTF-8 byte order mark, follows a file that grows, and knows at every moment offset, line
// and CRC32C of what was consumed, so that a run can be resumed.
package textfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// ErrEncoding is wrapped when a text begins with a UTF-16 or UTF-32 byte order mark.
var ErrEncoding = errors.New("text is UTF-16 or UTF-32, not UTF-8: convert it first, for example with iconv")

// ErrChanged is wrapped when a text is not the one that a position was taken of.
var ErrChanged = errors.New("text has changed since the position was recorded")

// Options say where bytes come from.
type Options struct {
	Stdin  io.Reader     // what "-" reads; its reads cannot be interrupted, so Close does not wait for one
	Follow bool          // at the end of the file wait for more; only for files that are not compressed
	Poll   time.Duration // how often a followed file is looked at; 0 is a quarter of a second
}

// Position is a place between two rows.
type Position struct {
	Offset int64  // bytes before it, after decompression, a byte order mark counted
	Line   int64  // line ends before it
	Row    int64  // rows before it, rejects counted, the header not
	Sum    uint32 // CRC32C of the bytes before it
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Stream is a window on a text. It is used by one goroutine.
type Stream struct {
	name   string
	feed   *feed
	chunk  []byte // rest of the chunk that the feed gave last
	buf    []byte // buf[start:end] is read and not consumed
	start  int
	end    int
	summed int // buf[:summed] is in sum
	at     Position
	err    error // what ended the feed
	last   byte  // the byte before start
	keeps  bool  // a buffer that was given is never written over
}

// Open opens a file, or "-" for standard input, and takes off a byte order mark. A file that is not there is known at once; that its content is
// compressed and broken comes with the read that meets it.
func Open(ctx context.Context, name string, o Options) (*Stream, error) {
	f, err := openFeed(name, o)
	if err != nil {
		return nil, err
	}
	s := &Stream{name: name, feed: f, buf: make([]byte, 2*chunkSize)}
	if err := s.skipMark(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stream) skipMark(ctx context.Context) error {
	for len(s.Bytes()) < 3 {
		if err := s.More(ctx); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	head := s.Bytes()
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return fmt.Errorf("read %s: %w", s.name, ErrEncoding)
	}
	if bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}) {
		s.Consume(3, 0)
	}
	return nil
}

// Name gives the name that the stream was opened by.
func (s *Stream) Name() string { return s.name }

// Bytes gives what is read and not consumed. It is valid until the next More, or for good after Keep.
func (s *Stream) Bytes() []byte { return s.buf[s.start:s.end] }

// Keep makes what Bytes gives from now on valid for good: More takes new memory rather than move bytes.
func (s *Stream) Keep() { s.keeps = true }

// Ready says that More will not wait.
func (s *Stream) Ready() bool { return len(s.chunk) > 0 || s.err != nil || s.feed.ready() }

// More reads further bytes behind Bytes: at least one, io.EOF at the end. The slices that Bytes gave before are void without Keep, as bytes may have
// moved.
func (s *Stream) More(ctx context.Context) error {
	if len(s.chunk) == 0 {
		if s.err != nil {
			return s.err
		}
		var err error
		if s.chunk, err = s.feed.next(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err() // the feed lives on: a later call may wait again
			}
			if err != io.EOF {
				err = fmt.Errorf("read %s: %w", s.name, err)
			}
			s.err = err
			return err
		}
	}
	s.makeRoom()
	n := copy(s.buf[s.end:], s.chunk)
	s.end, s.chunk = s.end+n, s.chunk[n:]
	return nil
}

// makeRoom leaves at least half a chunk free behind the window.
func (s *Stream) makeRoom() {
	if len(s.buf)-s.end >= chunkSize/2 {
		return
	}
	s.Sum()
	target := s.buf
	if size := s.end - s.start; size > len(s.buf)-chunkSize {
		target = make([]byte, 2*len(s.buf))
	} else if s.keeps {
		target = make([]byte, max(2*chunkSize, size+chunkSize))
	}
	n := copy(target, s.buf[s.start:s.end])
	s.buf, s.start, s.end, s.summed = target, 0, n, 0
}

// Consume passes over the first n bytes of Bytes, which hold that many line ends.
func (s *Stream) Consume(n int, lines int64) {
	if n > 0 {
		s.last = s.buf[s.start+n-1]
	}
	s.start += n
	s.at.Offset += int64(n)
	s.at.Line += lines
}

// CountRow adds one to the rows of the position.
func (s *Stream) CountRow() { s.at.Row++ }

// PassLine consumes the rest of the line, however long, and its line end. It appends up to keep bytes of it to dst and gives its length. When
// reading fails part of the line is consumed.
func (s *Stream) PassLine(ctx context.Context, dst []byte, keep int) (kept []byte, length int64, err error) {
	for {
		data := s.Bytes()
		stop := bytes.IndexByte(data, '\n')
		if stop >= 0 {
			data = data[:stop]
		}
		part := min(len(data), keep)
		dst, keep = append(dst, data[:part]...), keep-part
		length += int64(len(data))
		if stop >= 0 {
			s.Consume(stop+1, 1)
			return dst, length, nil
		}
		s.Consume(len(data), 0)
		if err := s.More(ctx); err == io.EOF {
			return dst, length, nil
		} else if err != nil {
			return dst, length, err
		}
	}
}

// Sum gives the CRC32C of everything consumed.
func (s *Stream) Sum() uint32 {
	s.at.Sum = crc32.Update(s.at.Sum, castagnoli, s.buf[s.summed:s.start])
	s.summed = s.start
	return s.at.Sum
}

// Offset gives the number of bytes consumed.
func (s *Stream) Offset() int64 { return s.at.Offset }

// Line gives the number of the line that Bytes begins in, from 1.
func (s *Stream) Line() int64 { return s.at.Line + 1 }

// Position gives the place behind what was consumed.
func (s *Stream) Position() Position {
	s.Sum()
	return s.at
}

// Resume passes over the text up to p and checks that it is the text p was taken of: ErrChanged when it is shorter, its CRC32C differs, or the line
// that ended the text then has grown.
func (s *Stream) Resume(ctx context.Context, p Position) error {
	for s.at.Offset < p.Offset {
		if len(s.Bytes()) == 0 {
			if err := s.More(ctx); err == io.EOF {
				return fmt.Errorf("resume %s at byte %d: %w: it has %d bytes", s.name, p.Offset, ErrChanged, s.at.Offset)
			} else if err != nil {
				return err
			}
		}
		s.Consume(int(min(int64(len(s.Bytes())), p.Offset-s.at.Offset)), 0)
	}
	if s.at.Offset != p.Offset || s.Sum() != p.Sum {
		return fmt.Errorf("resume %s at byte %d: %w: CRC32C is %08x, recorded is %08x", s.name, p.Offset, ErrChanged, s.Sum(), p.Sum)
	}
	s.at = p
	return s.checkLineEnd(ctx)
}

// checkLineEnd: a row that ended with the text was read as whole. If the text goes on now, a line end must come first.
func (s *Stream) checkLineEnd(ctx context.Context) error {
	if s.at.Row == 0 || s.last == '\n' {
		return nil
	}
	for len(s.Bytes()) < 2 {
		if err := s.More(ctx); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	switch rest := s.Bytes(); {
	case len(rest) == 0:
	case rest[0] == '\n':
		s.Consume(1, 1)
	case bytes.HasPrefix(rest, []byte("\r\n")):
		s.Consume(2, 1)
	default:
		return fmt.Errorf("resume %s at byte %d: %w: its last line was read as whole and goes on now", s.name, s.at.Offset, ErrChanged)
	}
	return nil
}

// Close ends the stream's goroutine and closes the file.
func (s *Stream) Close() error { return s.feed.close() }
