package blockstore

import (
	"fmt"
	"path/filepath"
	"slices"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// entry is one frame of a shard.
type entry struct {
	stripe    int32
	length    int32 // data bytes of the whole stripe
	crc       uint32
	operation int32 // the shard's write that brings it
}

// shard is a shard file that a sink knows. Its fields are guarded by the sink; file belongs to the target's
// operations, which are ordered by the counters.
//
//	queued >= written >= durable: the number of the last write that was asked for, made, and fsynced
type shard struct {
	target  *target
	header  schemas.ShardHeader
	file    *durable.File
	made    []string // directories that have new names since their last fsync
	entries []entry  // in order of stripe
	end     int64    // where the next frame goes

	queued, written, durable int32
	failed                   error // the file takes no more writes and no more fsyncs
	frozen                   bool  // it takes no more frames, because its tail was cut or it is closed
	closing                  int32 // the write of its close frame, 0 = none
}

func (s *shard) path() string {
	return ShardPath(s.target.dir, s.header.Block, int32(s.header.Index), s.header.Incarnation)
}

// find gives the entry of a stripe that is in the file, or will be unless a write fails.
func (s *shard) find(stripe int32) (entry, bool) {
	i, ok := slices.BinarySearchFunc(s.entries, stripe, func(e entry, stripe int32) int { return int(e.stripe - stripe) })
	if !ok || s.failed != nil && s.entries[i].operation > s.durable {
		return entry{}, false
	}
	return s.entries[i], true
}

// last gives the shard's last stripe, -1 when it has none.
func (s *shard) last() int32 {
	if len(s.entries) == 0 {
		return -1
	}
	return s.entries[len(s.entries)-1].stripe
}

// matches says whether an entry is the packet's own.
func (s *shard) matches(e entry, p *schemas.Packet) bool {
	return e.crc == p.CRC && int(e.length) == len(p.Payload) && s.header.Generation == p.Generation && s.header.Policy == p.Policy
}

// create makes the file; it runs as an operation of the target.
func (s *shard) create() error {
	if err := s.target.present(); err != nil {
		return err
	}
	dir := filepath.Dir(s.path())
	if _, err := s.target.disk.Mkdir(dir); err != nil {
		return fmt.Errorf("make directory %s: %w", dir, err)
	}
	s.made = s.target.unnamed(dir)
	file, err := s.target.disk.Create(s.path())
	s.file = file
	return err
}

// writing gives the operation's work: pieces at an offset of the file, which is made when this is its first write.
func (s *shard) writing(offset int64, pieces ...[]byte) func() error {
	return func() error {
		if s.file == nil {
			if err := s.create(); err != nil {
				return err
			}
		}
		return s.file.WriteAt(offset, pieces...)
	}
}

// sync makes durable what is in the file; it runs as an operation of the target.
func (s *shard) sync() error {
	s.target.syncs <- struct{}{}
	defer func() { <-s.target.syncs }()
	if err := s.file.Sync(); err != nil {
		return err
	}
	linked, err := s.file.Linked()
	if err == nil && !linked {
		err = fmt.Errorf("fsync %s: %w: somebody has removed it", s.path(), ErrNoShard)
	}
	return err
}
