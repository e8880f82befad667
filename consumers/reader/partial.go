package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"stripeline/schemas"
)

// piece is a range of one cell.
type piece struct {
	index, from, end int // in bytes of the cell
}

// readRange fills dst from the given offset in a stripe's data, reading nothing but the frame headers and chunks that
// it needs. It says whether that worked; if not, the whole stripe is to be read, with other shards and parity.
func (b *block) readRange(ctx context.Context, number int32, from int, dst []byte) (bool, error) {
	pieces := b.pieces(number, from, from+len(dst))
	sources := make([]*shard, len(pieces))
	for i, p := range pieces {
		if sources[i] = b.first(p.index, number); sources[i] == nil {
			return false, nil
		}
	}
	done := make([]chan []byte, len(pieces))
	for i, p := range pieces {
		done[i] = make(chan []byte, 1)
		go func() { done[i] <- sources[i].readPiece(number, p) }()
	}
	hedge := time.NewTimer(b.hedge())
	defer hedge.Stop()
	parts := make([][]byte, len(pieces))
	for i := range pieces {
		select {
		case parts[i] = <-done[i]:
			if parts[i] == nil {
				return false, nil
			}
		case <-hedge.C:
			sources[i].avoid.Store(true)
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	for _, part := range parts {
		dst = dst[copy(dst, part):]
	}
	return true, nil
}

// pieces gives the ranges of cells that hold the bytes from one offset to another in a stripe's data.
func (b *block) pieces(number int32, from, end int) []piece {
	var pieces []piece
	for index := from / b.policy.Cell; index*b.policy.Cell < end; index++ {
		at := index * b.policy.Cell
		pieces = append(pieces, piece{index, max(from-at, 0), min(end-at, b.cell(number, index))})
	}
	return pieces
}

// first gives the shard of an index that is read first, nil when there is none that can be.
func (b *block) first(index int, number int32) *shard {
	for _, s := range b.current() {
		usable := s.meta.State == schemas.ShardKeep && s.meta.Holds(number) && !s.broken.Load() && !s.avoid.Load()
		if usable && int(s.meta.Index) == index {
			return s
		}
	}
	return nil
}

// readPiece gives the piece's bytes, checked; nil when they cannot be had from this shard.
func (s *shard) readPiece(number int32, p piece) (data []byte) {
	_ = s.use(func() {
		low := p.from / schemas.ChunkSize * schemas.ChunkSize
		high := min(schemas.Chunks(p.end)*schemas.ChunkSize, s.frames.cell(number, p.index))
		f, cell, err := s.chunks(number, low, high)
		if err == nil {
			err = s.identifyFrame(&f, number)
		}
		if err != nil || schemas.CheckSums(f.Sums[4*schemas.Chunks(low):4*schemas.Chunks(high)], cell) >= 0 {
			return
		}
		data = cell[p.from-low : p.end-low]
	})
	return data
}

// chunks reads a frame's header and the chunks of its cell from low to high: with one read when they are adjacent.
func (s *shard) chunks(number int32, low, high int) (schemas.Frame, []byte, error) {
	at := s.origin + s.frames.offset(number)
	size := schemas.FrameHeaderSize(s.frames.cell(number, s.frames.index))
	buf := make([]byte, size+high-low)
	if low == 0 {
		if _, err := readFull(s.file, buf, at); err != nil {
			return schemas.Frame{}, nil, err
		}
	} else {
		if _, err := readFull(s.file, buf[:size], at); err != nil {
			return schemas.Frame{}, nil, err
		}
		if _, err := readFull(s.file, buf[size:], at+int64(size+low)); err != nil {
			return schemas.Frame{}, nil, err
		}
	}
	f, err := schemas.ParseFrame(buf[:size])
	if err == nil && 4*schemas.Chunks(high) > len(f.Sums) {
		err = fmt.Errorf("check frame: %w: it has %d chunks", ErrStrange, len(f.Sums)/4)
	}
	return f, buf[size:], err
}

func readFull(file io.ReaderAt, buf []byte, at int64) (int, error) {
	n, err := file.ReadAt(buf, at)
	if n == len(buf) && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
