package blockstore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"stripeline/schemas"
)

// ShardPath gives the path of a shard file in a target's directory.
func ShardPath(dir string, block schemas.BlockID, index int32, incarnation schemas.Incarnation) string {
	name := block.String()
	return filepath.Join(dir, name[:2], fmt.Sprintf("%s-%d-%s.shard", name, index, incarnation))
}

// ShardFile is a shard opened for reading only, without the target's lock. It may grow meanwhile. Its methods are safe
// for concurrent use.
type ShardFile struct {
	Header schemas.ShardHeader

	file  *os.File
	mu    sync.Mutex
	walk  *scanner
	known map[int32]int64 // offset of each stripe's frame that the walk has passed
	holes []schemas.Range // stripes that may lie where a frame's header is damaged
}

// OpenShard opens a shard of a target's directory. A file that is not there is ErrNoShard; a header that is damaged or
// of another shard is schemas.ErrBadFrame.
func OpenShard(dir string, block schemas.BlockID, index int32, incarnation schemas.Incarnation) (*ShardFile, error) {
	path := ShardPath(dir, block, index, incarnation)
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open shard %s: %w", path, ErrNoShard)
	}
	if err != nil {
		return nil, err
	}
	s, err := openShard(file)
	if err == nil {
		if h := &s.Header; h.Block != block || h.Index != int(index) || h.Incarnation != incarnation {
			err = fmt.Errorf("%w: its header names index %d of block %s, incarnation %s", schemas.ErrBadFrame, h.Index, h.Block, h.Incarnation)
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open shard %s: %w", path, err)
	}
	return s, nil
}

func openShard(file *os.File) (*ShardFile, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	walk, err := newScanner(file, info.Size())
	if err != nil {
		return nil, err
	}
	return &ShardFile{Header: walk.header, file: file, walk: walk, known: make(map[int32]int64)}, nil
}

// ReadFrame gives the frame of a stripe and its cell, checked: header, identity, every chunk. The cell is read into
// buffer when that has the capacity. A stripe that the shard does not hold is ErrNoFrame, damage is
// schemas.ErrBadFrame; other errors are the disk's.
func (s *ShardFile) ReadFrame(stripe int32, buffer []byte) (schemas.Frame, []byte, error) {
	at, err := s.find(stripe)
	if err != nil {
		return schemas.Frame{}, nil, err
	}
	one := &scanner{file: s.file, header: s.Header, policy: s.walk.policy, offset: at, next: stripe}
	if one.size, err = s.size(); err != nil {
		return schemas.Frame{}, nil, err
	}
	f, err := one.head()
	if err == nil && (f.Kind != schemas.FrameCell || f.Stripe != stripe) {
		err = fmt.Errorf("read stripe %d: %w: stripe %d is in its place", stripe, schemas.ErrBadFrame, f.Stripe)
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("read stripe %d: %w: the file ends before it", stripe, schemas.ErrBadFrame)
	}
	if err != nil {
		return f, nil, err
	}
	cell, err := one.cell(&f, buffer)
	return f, cell, err
}

func (s *ShardFile) size() (int64, error) {
	info, err := s.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// find gives the offset of a stripe's frame: known, or found by walking on over frame headers.
func (s *ShardFile) find(stripe int32) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.known[stripe]; ok {
		return at, nil
	}
	size, err := s.size()
	if err != nil {
		return 0, err
	}
	s.walk.size = max(size, s.walk.offset)
	for s.walk.next <= stripe && !s.walk.closed {
		if err := s.step(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, err
		}
	}
	if at, ok := s.known[stripe]; ok {
		return at, nil
	}
	for _, hole := range s.holes {
		if hole.First <= stripe && stripe <= hole.Last {
			return 0, fmt.Errorf("find stripe %d of shard %s: %w: there is a damaged frame in its place", stripe, s.file.Name(), schemas.ErrBadFrame)
		}
	}
	return 0, fmt.Errorf("find stripe %d of shard %s: %w", stripe, s.file.Name(), ErrNoFrame)
}

// step walks over one frame, and over damage in front of it; s.mu is held.
func (s *ShardFile) step() error {
	from := s.walk.next
	f, err := s.walk.head()
	if errors.Is(err, schemas.ErrBadFrame) && s.walk.resync() {
		if f, err = s.walk.head(); err == nil && f.Stripe > from {
			s.holes = append(s.holes, schemas.Range{First: from, Last: f.Stripe - 1})
		}
	}
	if err != nil {
		return err
	}
	if f.Kind == schemas.FrameCell {
		s.known[f.Stripe] = s.walk.offset
	}
	s.walk.skip(&f)
	return nil
}

// File gives the open file, for sending frames as they are.
func (s *ShardFile) File() *os.File { return s.file }

// Close closes the file.
func (s *ShardFile) Close() error { return s.file.Close() }
