package reader

import (
	"context"
	"fmt"
	"io"

	"stripeline/schemas"
)

// stream is the state of sequential reading: what is read and not yet handed out, and what is read ahead.
// One goroutine at a time uses it.
type stream struct {
	position int64
	section  section
	window   int32 // stripes of the next section; doubles as long as reading goes straight on
	ahead    *ahead
}

// section is a part of the file that was read, from start on: first its parts, then err.
type section struct {
	end   int64 // file offset behind the parts
	parts [][]byte
	batch *batch
	err   error
}

// ahead is a section under way.
type ahead struct {
	start  int64
	cancel context.CancelFunc
	result chan section
}

func (s *section) release() {
	if s.batch != nil {
		s.batch.release()
	}
	*s = section{}
}

// Read reads on from the position, as io.Reader has it. Errors are those of ReadAt.
func (f *File) Read(p []byte) (int, error) {
	s := &f.stream
	if len(p) == 0 {
		return 0, nil
	}
	if err := f.ctx.Err(); err != nil {
		return 0, f.explain(err)
	}
	if len(s.section.parts) == 0 {
		if err := f.advance(int64(len(p))); err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(p) && len(s.section.parts) > 0 {
		m := copy(p[n:], s.section.parts[0])
		n += m
		s.consume(m)
	}
	return n, nil
}

// consume drops n bytes of the first part.
func (s *stream) consume(n int) {
	s.position += int64(n)
	if s.section.parts[0] = s.section.parts[0][n:]; len(s.section.parts[0]) == 0 {
		s.section.parts = s.section.parts[1:]
	}
}

// advance makes the section the one at the position: with parts unless it gives an error, io.EOF behind the last.
func (f *File) advance(want int64) error {
	s := &f.stream
	err := s.section.err
	s.section.release()
	if err != nil {
		s.window = 0
		return f.explain(err)
	}
	if err := f.ctx.Err(); err != nil {
		return f.explain(err)
	}
	if s.position >= f.entry.Length {
		return io.EOF
	}
	if s.ahead != nil && s.ahead.start == s.position {
		s.section = <-s.ahead.result
		s.ahead.cancel()
		s.ahead = nil
	} else {
		s.stop()
		s.section = f.fetch(f.ctx, s.position, max(s.window, 1), want)
	}
	if len(s.section.parts) == 0 {
		err := s.section.err
		s.section.release()
		return f.explain(err)
	}
	s.window = min(max(2*s.window, 1), schemas.MaxStripes)
	if s.section.err == nil && s.section.end < f.entry.Length && s.window > 1 {
		s.ahead = f.begin(s.section.end, s.window)
	}
	return nil
}

// begin starts to read the section at a file offset.
func (f *File) begin(start int64, window int32) *ahead {
	ctx, cancel := context.WithCancel(f.ctx)
	a := &ahead{start: start, cancel: cancel, result: make(chan section, 1)}
	f.tasks.Go(func() { a.result <- f.fetch(ctx, start, window, 0) })
	return a
}

// stop gives up what is being read ahead.
func (s *stream) stop() {
	if s.ahead != nil {
		s.ahead.cancel()
		s.ahead = nil
	}
}

// fetch reads window stripes, or as many as hold want bytes, from a file offset on: at most a batch, in one block.
func (f *File) fetch(ctx context.Context, start int64, window int32, want int64) section {
	b, from, end, err := f.find(ctx, start)
	if err != nil {
		return section{err: err}
	}
	defer f.done(b)
	first, most := b.at(from), b.at(end-1)+1
	length := int64(b.stripeLength(first))
	count := max(window, int32(min((want+length-1)/length, schemas.MaxStripes)))
	batch, err := b.read(ctx, first, min(first+min(count, b.batch(first)), most))
	if err != nil {
		return section{err: err}
	}
	s := section{batch: batch, err: batch.err}
	if n := len(batch.stripes); n > 0 {
		end = min(end, b.start(batch.stripes[n-1].number+1))
		s.parts = batch.parts(nil, from, end)
		s.end = start + end - from
	}
	return s
}

// Seek sets the position of Read and WriteTo, as io.Seeker has it. A position behind the end is allowed.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	s := &f.stream
	switch whence {
	case io.SeekCurrent:
		offset += s.position
	case io.SeekEnd:
		offset += f.entry.Length
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return s.position, fmt.Errorf("seek %s to %d, whence %d: %w", f.entry.Path, offset, whence, errOffset)
	}
	if offset != s.position {
		s.section.release()
		s.position, s.window = offset, 0
	}
	return offset, nil
}

// WriteTo writes everything from the position on to w, in pieces of one cell. Reading from the beginning, it compares
// the whole with the entry's CRC32C at the end: ErrChecksum. Other errors are those of ReadAt and of w.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	s := &f.stream
	begin, crc := s.position, uint32(0)
	s.window = schemas.MaxStripes
	for {
		for len(s.section.parts) > 0 {
			part := s.section.parts[0]
			crc = schemas.ExtendCRC(crc, part)
			n, err := w.Write(part)
			s.consume(n)
			if err == nil && n < len(part) {
				err = io.ErrShortWrite
			}
			if err != nil {
				return s.position - begin, err
			}
		}
		err := f.advance(0)
		if err == io.EOF && begin == 0 && crc != f.entry.CRC {
			return s.position, fmt.Errorf("read %s: %w: %08x, not %08x", f.entry.Path, ErrChecksum, crc, f.entry.CRC)
		}
		if err == io.EOF {
			return s.position - begin, nil
		}
		if err != nil {
			return s.position - begin, err
		}
	}
}
