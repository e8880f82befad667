package blockstore

import (
	"errors"
	"fmt"
	"io"

	"stripeline/schemas"
)

// scanner walks over the frames of a shard file.
type scanner struct {
	file   io.ReaderAt
	size   int64 // of the file, bytes
	header schemas.ShardHeader
	policy schemas.Policy
	offset int64 // of the next frame
	next   int32 // the least stripe that the next frame may have
	closed bool  // a close frame was read
	buffer []byte
}

// newScanner reads and checks the shard's header.
func newScanner(file io.ReaderAt, size int64) (*scanner, error) {
	s := &scanner{file: file, size: size}
	head, err := s.read(0, min(size, 4096))
	if err != nil {
		return nil, err
	}
	header, length, err := schemas.ParseShardHeader(head)
	if err != nil && size > 4096 {
		if head, err = s.read(0, min(size, schemas.MaxShardHeader)); err != nil {
			return nil, err
		}
		header, length, err = schemas.ParseShardHeader(head)
	}
	if err != nil {
		return nil, err
	}
	s.header, s.offset = header, int64(length)
	s.policy, err = schemas.ParsePolicy(header.Policy)
	if err != nil || header.Index >= s.policy.N() {
		return nil, fmt.Errorf("parse shard header: %w: index %d of policy %q", schemas.ErrBadFrame, header.Index, header.Policy)
	}
	return s, nil
}

func (s *scanner) read(offset, length int64) ([]byte, error) {
	if int64(cap(s.buffer)) < length {
		s.buffer = make([]byte, max(length, 4096))
	}
	b := s.buffer[:length]
	if n, err := s.file.ReadAt(b, offset); int64(n) < length {
		return nil, fmt.Errorf("read %d bytes at %d of a shard: %w", length, offset, err)
	}
	return b, nil
}

// head gives the frame at the scanner's offset without moving on. io.EOF is the end of the file, in front of a
// frame; ErrBadFrame is damage or a torn tail; other errors are the disk's. The frame is good until the next call.
func (s *scanner) head() (schemas.Frame, error) {
	if s.offset == s.size {
		return schemas.Frame{}, io.EOF
	}
	length := int64(schemas.FrameHeaderSize(s.policy.Cell))
	b, err := s.read(s.offset, min(length, s.size-s.offset))
	if err != nil {
		return schemas.Frame{}, err
	}
	f, err := schemas.ParseFrame(b)
	if err != nil {
		return f, err
	}
	return f, s.check(&f)
}

// check compares a frame with the shard that it is in.
func (s *scanner) check(f *schemas.Frame) error {
	if f.Block != s.header.Block || f.Index != s.header.Index {
		return fmt.Errorf("frame at %d: %w: it belongs to index %d of block %s", s.offset, schemas.ErrBadFrame, f.Index, f.Block)
	}
	cell := f.Kind == schemas.FrameCell && f.Generation == s.header.Generation && f.Stripe < schemas.MaxStripes && !s.closed &&
		f.StripeLength <= int32(s.policy.Stripe()) && int(f.CellLength) == s.policy.CellLength(f.Index, int(f.StripeLength)) &&
		f.CellLength > 0
	end := f.Kind == schemas.FrameClose && f.CellLength == 0
	if !cell && !end || f.Stripe < s.next || s.offset+int64(f.Size()) > s.size {
		return fmt.Errorf("frame at %d: %w: stripe %d does not belong there", s.offset, schemas.ErrBadFrame, f.Stripe)
	}
	return nil
}

// skip moves behind a frame that head gave.
func (s *scanner) skip(f *schemas.Frame) {
	s.offset += int64(f.Size())
	s.next = f.Stripe + 1
	if f.Kind == schemas.FrameClose {
		s.closed, s.next = true, f.Stripe
	}
}

// cell gives the data of a frame that head gave, checked against its chunk checksums.
func (s *scanner) cell(f *schemas.Frame, buffer []byte) ([]byte, error) {
	if cap(buffer) < int(f.CellLength) {
		buffer = make([]byte, f.CellLength)
	}
	buffer = buffer[:f.CellLength]
	at := s.offset + int64(schemas.FrameHeaderSize(int(f.CellLength)))
	if n, err := s.file.ReadAt(buffer, at); n < len(buffer) {
		if errors.Is(err, io.EOF) {
			err = schemas.ErrBadFrame
		}
		return nil, fmt.Errorf("read cell of stripe %d: %w", f.Stripe, err)
	}
	if chunk := schemas.CheckSums(f.Sums, buffer); chunk >= 0 {
		return nil, fmt.Errorf("check cell of stripe %d: %w: chunk %d differs from its checksum", f.Stripe, schemas.ErrBadFrame, chunk)
	}
	return buffer, nil
}

// resync moves over a frame whose header is damaged to the next one that belongs here, and says whether there is one.
// Otherwise the scanner stays where it is: what is there may be a frame that is being written.
func (s *scanner) resync() bool {
	frame := int64(schemas.FrameHeaderSize(s.policy.Cell) + s.policy.Cell)
	window := make([]byte, min(2*frame, s.size-s.offset))
	if n, _ := s.file.ReadAt(window, s.offset); n < len(window) {
		return false
	}
	for at := 1; at < len(window); at++ {
		f, err := schemas.ParseFrame(window[at:])
		if err != nil {
			continue
		}
		trial := *s
		trial.offset += int64(at)
		if trial.check(&f) == nil {
			s.offset = trial.offset
			return true
		}
	}
	return false
}
