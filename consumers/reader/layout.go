package reader

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"stripeline/schemas"
)

// segment is a piece of the file that lies in one block.
type segment struct {
	offset      int64 // in the file
	length      int64
	id          schemas.BlockID
	blockOffset int64
}

// layout finds the segment of a file offset. A run of whole blocks is split when it is first read, since the lengths
// of its blocks stand in their records alone.
type layout struct {
	path    string
	extents []schemas.Extent
	length  func(context.Context, schemas.BlockID) (int64, error)
	mu      sync.Mutex
	split   map[int][]segment
}

func newLayout(e *schemas.Entry) (*layout, error) {
	var end int64
	for _, x := range e.Extents {
		if x.Offset != end || x.Length <= 0 || x.Blocks < 1 || x.BlockOffset < 0 {
			return nil, fmt.Errorf("open %s: %w: extent at %d of %d bytes in %d blocks follows on %d",
				e.Path, ErrDisagree, x.Offset, x.Length, x.Blocks, end)
		}
		end += x.Length
	}
	if end != e.Length {
		return nil, fmt.Errorf("open %s: %w: extents cover %d of %d bytes", e.Path, ErrDisagree, end, e.Length)
	}
	return &layout{path: e.Path, extents: e.Extents, split: make(map[int][]segment)}, nil
}

// at gives the segment that holds the byte at a file offset below the file's length.
func (l *layout) at(ctx context.Context, offset int64) (segment, error) {
	i := sort.Search(len(l.extents), func(i int) bool { return offset < l.extents[i].Offset+l.extents[i].Length })
	x := &l.extents[i]
	if x.Blocks == 1 {
		return segment{x.Offset, x.Length, x.Block, x.BlockOffset}, nil
	}
	segments, err := l.segments(ctx, i)
	if err != nil {
		return segment{}, err
	}
	j := sort.Search(len(segments), func(j int) bool { return offset < segments[j].offset+segments[j].length })
	return segments[j], nil
}

func (l *layout) segments(ctx context.Context, i int) ([]segment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.split[i]; ok {
		return s, nil
	}
	x := &l.extents[i]
	offset, segments := x.Offset, make([]segment, 0, x.Blocks)
	for n := range uint32(x.Blocks) {
		id := x.Block.File().Block(x.Block.Number() + n)
		length, err := l.length(ctx, id)
		if err != nil {
			return nil, err
		}
		segments = append(segments, segment{offset: offset, length: length, id: id})
		offset += length
	}
	if offset != x.Offset+x.Length {
		return nil, fmt.Errorf("read %s: %w: %d blocks from %s have %d bytes, their extent %d",
			l.path, ErrDisagree, x.Blocks, x.Block, offset-x.Offset, x.Length)
	}
	l.split[i] = segments
	return segments, nil
}
