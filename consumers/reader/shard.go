package reader

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"stripeline/schemas"
)

// shard is one shard file of an open block. It is opened by whoever first reads from it, and closed when its block is
// shut and the last read has returned.
type shard struct {
	block  *block
	meta   schemas.Shard
	frames *frames
	broken atomic.Bool // it cannot be opened; err says why
	avoid  atomic.Bool // it was slow, or all frames of a read were damaged: the others come first

	once   sync.Once
	err    error
	origin int64 // file offset at which the frame of stripe 0 would begin

	mu    sync.Mutex
	users int
	shut  bool
	file  ShardFile
}

// reply is what a read of the stripes from first to end gave: for each either a checked cell, which lies in buffer, or
// an error; neither for an empty cell.
type reply struct {
	shard      *shard
	first, end int32
	cells      [][]byte
	errs       []error
	buffer     []byte
}

// use runs f while the shard is open, or gives the reason why it cannot be.
func (s *shard) use(f func()) error {
	s.mu.Lock()
	if s.shut {
		s.mu.Unlock()
		return fmt.Errorf("read shard: %w", os.ErrClosed)
	}
	s.users++
	s.mu.Unlock()
	defer s.release()
	s.once.Do(func() {
		if s.err = s.open(); s.err != nil {
			s.broken.Store(true)
		}
	})
	if s.err == nil {
		f()
	}
	return s.err
}

func (s *shard) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	s.closeUnused()
}

func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	s.closeUnused()
}

func (s *shard) closeUnused() {
	if s.shut && s.users == 0 && s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}

// open opens the file, checks that it is the shard that it is said to be, and finds where its frames are.
func (s *shard) open() error {
	b := s.block
	file, err := b.source.Shard(b.ctx, b.id, s.meta)
	if err != nil {
		return fmt.Errorf("open shard: %w", err)
	}
	s.file = file
	frame := schemas.FrameHeaderSize(s.frames.policy.Cell)
	head, header, size, err := []byte(nil), schemas.ShardHeader{}, 0, error(nil)
	for _, most := range []int{2048, schemas.MaxShardHeader} {
		head = make([]byte, most+frame)
		n, readErr := file.ReadAt(head, 0)
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return fmt.Errorf("read shard header: %w", readErr)
		}
		full := n == len(head)
		head = head[:n]
		header, size, err = schemas.ParseShardHeader(head)
		if !full || err == nil && size+frame <= n {
			break
		}
	}
	if err != nil {
		return err
	}
	if err := s.identify(&header); err != nil {
		return err
	}
	s.origin = int64(size) - s.frames.offset(s.beginning(head[size:]))
	return nil
}

func (s *shard) identify(h *schemas.ShardHeader) error {
	r := &s.block.record
	if h.Block != r.ID || h.Generation != r.Generation || h.Index != int(s.meta.Index) ||
		h.Incarnation != s.meta.Incarnation || h.Policy != r.Policy {
		return fmt.Errorf("check shard header: %w: it is index %d of block %s, generation %s, incarnation %s, %s",
			ErrStrange, h.Index, h.Block, h.Generation, h.Incarnation, h.Policy)
	}
	return nil
}

// beginning gives the stripe of the file's first frame: what that frame says, since receipts for the first stripes may
// have been taken back, or the first receipt's when the frame is damaged.
func (s *shard) beginning(first []byte) int32 {
	receipt := s.meta.Ranges[0].First
	f, err := schemas.ParseFrame(first)
	if err == nil && f.Kind == schemas.FrameCell && f.Stripe <= receipt && s.identifyFrame(&f, f.Stripe) == nil {
		return f.Stripe
	}
	return receipt
}

// read reads the frames of the stripes from first to end with one read where that works.
func (s *shard) read(first, end int32) reply {
	r := reply{shard: s, first: first, end: end, cells: make([][]byte, end-first), errs: make([]error, end-first)}
	err := s.use(func() {
		from := s.frames.offset(first)
		r.buffer = s.block.buffers.take(int(s.frames.offset(end) - from))
		n, err := s.file.ReadAt(r.buffer, s.origin+from)
		for stripe := first; stripe < end; stripe++ {
			at, to := s.frames.offset(stripe)-from, s.frames.offset(stripe+1)-from
			if at == to {
				continue
			}
			if to > int64(n) {
				err = s.again(r.buffer[at:to], s.origin+from+at, err)
			}
			if to <= int64(n) || err == nil {
				r.cells[stripe-first], r.errs[stripe-first] = s.check(r.buffer[at:to:to], stripe)
				continue
			}
			r.errs[stripe-first] = err
		}
	})
	if err != nil {
		for i := range r.errs {
			r.errs[i] = err
		}
	}
	return r
}

// again reads one frame alone after a long read has failed, so that a bad sector costs one frame only.
func (s *shard) again(frame []byte, at int64, err error) error {
	if !errors.Is(err, io.EOF) {
		_, err = s.file.ReadAt(frame, at)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("read frame: %w: the file ends before or in it", schemas.ErrBadFrame)
	}
	if err != nil {
		return fmt.Errorf("read frame: %w", err)
	}
	return nil
}

// check gives the cell of a whole frame when everything about it is right.
func (s *shard) check(frame []byte, stripe int32) ([]byte, error) {
	f, err := schemas.ParseFrame(frame)
	if err != nil {
		return nil, err
	}
	if err := s.identifyFrame(&f, stripe); err != nil {
		return nil, err
	}
	cell := frame[schemas.FrameHeaderSize(int(f.CellLength)):]
	if chunk := schemas.CheckSums(f.Sums, cell); chunk >= 0 {
		return nil, fmt.Errorf("check frame: %w: chunk %d differs from its checksum", schemas.ErrBadFrame, chunk)
	}
	return cell[:len(cell):len(cell)], nil
}

func (s *shard) identifyFrame(f *schemas.Frame, stripe int32) error {
	b := s.block
	if stripe < 0 || stripe >= b.stripes() {
		return fmt.Errorf("check frame: %w: stripe %d of %d", ErrStrange, stripe, b.stripes())
	}
	offset := f.Offset
	if b.record.Offset >= 0 {
		offset = b.record.Offset + b.start(stripe)
	}
	want := schemas.Frame{Kind: schemas.FrameCell, Index: int(s.meta.Index), Block: b.id, Generation: b.record.Generation,
		Stripe: stripe, StripeLength: int32(b.stripeLength(stripe)), CellLength: int32(b.cell(stripe, int(s.meta.Index))),
		Offset: offset, FileLength: f.FileLength, CRC: b.record.StripeCRC(stripe)}
	if f.Kind != want.Kind || f.Index != want.Index || f.Block != want.Block || f.Generation != want.Generation ||
		f.Stripe != want.Stripe || f.StripeLength != want.StripeLength || f.CellLength != want.CellLength ||
		f.Offset != want.Offset || f.CRC != want.CRC {
		return fmt.Errorf("check frame: %w: it is index %d, stripe %d of block %s, generation %s, cell %d of %d bytes at %d, CRC %08x",
			ErrStrange, f.Index, f.Stripe, f.Block, f.Generation, f.CellLength, f.StripeLength, f.Offset, f.CRC)
	}
	return nil
}
