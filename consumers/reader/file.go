package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"stripeline/schemas"
)

// openBlocks is how many blocks a File keeps open, with their shards' files.
const openBlocks = 4

var errOffset = errors.New("negative offset")

// File is a committed file, open for reading: io.ReadSeekCloser, io.ReaderAt and io.WriterTo. ReadAt may be called
// from several goroutines at once, also while one other goroutine uses Read, Seek and WriteTo.
type File struct {
	ctx     context.Context
	cancel  context.CancelFunc
	source  Source
	entry   schemas.Entry
	layout  *layout
	buffers buffers
	stream  stream
	tasks   sync.WaitGroup // reads ahead

	mu     sync.Mutex
	blocks map[schemas.BlockID]*block
	clock  uint64
	closed bool
}

// Open opens the committed content of an entry. The File reads until ctx ends. Nothing but the entry is looked at yet.
// Errors are ErrIncomplete for a path without content and ErrDisagree for extents that do not cover it.
func Open(ctx context.Context, source Source, entry schemas.Entry) (*File, error) {
	if !entry.Committed() {
		return nil, fmt.Errorf("open %s: %w", entry.Path, ErrIncomplete)
	}
	layout, err := newLayout(&entry)
	if err != nil {
		return nil, err
	}
	f := &File{source: source, entry: entry, layout: layout, blocks: make(map[schemas.BlockID]*block)}
	f.ctx, f.cancel = context.WithCancel(ctx)
	layout.length = func(ctx context.Context, id schemas.BlockID) (int64, error) {
		record, err := f.record(ctx, id)
		return record.Length, err
	}
	return f, nil
}

// Size gives the file's length in bytes.
func (f *File) Size() int64 { return f.entry.Length }

// ReadAt fills p from the file's bytes at offset, as io.ReaderAt has it. It asks shards for no more than the chunks
// that p touches, with their frame headers; only a stripe with damage in reach is read whole.
// Errors are LostError, ErrReplaced, ErrIncomplete, ErrDisagree, those of the Source, and os.ErrClosed.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("read %s at %d: %w", f.entry.Path, offset, errOffset)
	}
	n := 0
	for n < len(p) && offset+int64(n) < f.entry.Length {
		m, err := f.readSome(p[n:], offset+int64(n))
		n += m
		if err != nil {
			return n, f.explain(err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readSome reads a range of one stripe, or as many whole stripes as p covers, up to a batch.
func (f *File) readSome(p []byte, offset int64) (int, error) {
	b, from, end, err := f.find(f.ctx, offset)
	if err != nil {
		return 0, err
	}
	defer f.done(b)
	end = min(end, from+int64(len(p)))
	first := b.at(from)
	start, last := b.start(first), first+1
	if from > start || end < b.start(last) {
		p = p[:min(end, b.start(last))-from]
		ok, err := b.readRange(f.ctx, first, int(from-start), p)
		if ok || err != nil {
			return len(p), err
		}
	} else {
		for most := first + b.batch(first); last < most && b.start(last+1) <= end; {
			last++
		}
		p = p[:b.start(last)-from]
	}
	batch, err := b.read(f.ctx, first, last)
	if err != nil {
		return 0, err
	}
	defer batch.release()
	n := 0
	for _, part := range batch.parts(nil, from, from+int64(len(p))) {
		n += copy(p[n:], part)
	}
	return n, batch.err
}

// find gives the block that holds a file offset, for use until done, with the range of the block's bytes from there
// to the end of its segment.
func (f *File) find(ctx context.Context, offset int64) (b *block, from, end int64, err error) {
	s, err := f.layout.at(ctx, offset)
	if err != nil {
		return nil, 0, 0, err
	}
	if b, err = f.block(ctx, s.id); err != nil {
		return nil, 0, 0, err
	}
	from, end = s.blockOffset+offset-s.offset, s.blockOffset+s.length
	if end > b.length() {
		f.done(b)
		return nil, 0, 0, fmt.Errorf("read %s: %w: block %s has %d bytes, its extent needs %d",
			f.entry.Path, ErrDisagree, s.id, b.length(), end)
	}
	return b, from, end, nil
}

// block gives an open block, for use until done.
func (f *File) block(ctx context.Context, id schemas.BlockID) (*block, error) {
	if b := f.opened(id, nil); b != nil {
		return b, nil
	}
	fresh, err := f.openBlock(ctx, id)
	if err != nil {
		return nil, err
	}
	if b := f.opened(id, fresh); b != nil {
		return b, nil
	}
	return nil, os.ErrClosed
}

// opened gives the block that is open under the id, else the fresh one, which it keeps; nil behind Close.
func (f *File) opened(id schemas.BlockID, fresh *block) *block {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.blocks[id]
	if f.closed || b == nil && fresh == nil {
		return nil
	}
	if b == nil {
		b = fresh
		f.blocks[id] = b
	}
	f.clock++
	b.users, b.used = b.users+1, f.clock
	return b
}

// done ends a use of the block. Of the blocks that nobody uses, the longest unused are closed.
func (f *File) done(b *block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.users--
	for len(f.blocks) > openBlocks {
		oldest := slices.MinFunc(slices.Collect(maps.Values(f.blocks)), func(a, b *block) int {
			return cmp.Or(cmp.Compare(min(a.users, 1), min(b.users, 1)), cmp.Compare(a.used, b.used))
		})
		if oldest.users > 0 {
			return
		}
		delete(f.blocks, oldest.id)
		oldest.close()
	}
}

// Close ends all reads; those under way give os.ErrClosed. A shard that hangs is closed when it answers.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return fmt.Errorf("close %s: %w", f.entry.Path, os.ErrClosed)
	}
	f.closed = true
	blocks := f.blocks
	f.blocks = nil
	f.mu.Unlock()
	f.cancel()
	f.tasks.Wait()
	for _, b := range blocks {
		b.close()
	}
	return nil
}

// explain makes the errors of a closed File os.ErrClosed.
func (f *File) explain(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", f.entry.Path, os.ErrClosed)
	}
	return err
}
