package blockstore

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"stripeline/schemas"
)

// reopen reads a shard to its end. A frame that fails its check is damage, and the whole file is set aside, unless it
// lies beyond everything that is on record as acked: then the shard ends in front of it. It is cut there when no frame
// can be seen behind (a power cut may keep later pages and lose earlier ones, and nothing that might be of use is
// destroyed); in both cases the stripes from there on are acked as lost and the incarnation takes no more frames, so
// that this loss is true for ever, however often it is heard. Other errors are the disk's.
func (t *target) reopen(name schemas.ShardHeader, record *schemas.Block) (found, error) {
	s := &shard{target: t, header: name, queued: 1, written: 1}
	file, err := t.disk.Open(s.path())
	if err != nil {
		return found{}, err
	}
	s.file = file
	size, err := file.Size()
	if err != nil {
		_ = file.Close()
		return found{}, err
	}
	f := found{shard: s, short: make(map[int32]int32), limit: -1}
	fault := f.read(file, size)
	switch {
	case fault == nil:
		s.made = t.unnamed(filepath.Dir(s.path()))
		return f, nil
	case !errors.Is(fault, schemas.ErrBadFrame):
		_ = file.Close()
		return found{}, fault
	}
	return f, t.damaged(&f, size, record, fault)
}

// read walks over the whole shard and checks every cell.
func (f *found) read(file io.ReaderAt, size int64) error {
	s := f.shard
	walk, err := newScanner(file, size)
	if err != nil {
		return err
	}
	if h := &walk.header; h.Block != s.header.Block || h.Index != s.header.Index || h.Incarnation != s.header.Incarnation {
		return fmt.Errorf("%w: its header names index %d of block %s, incarnation %s", schemas.ErrBadFrame, h.Index, h.Block, h.Incarnation)
	}
	s.header, s.end = walk.header, walk.offset
	var buffer []byte
	for {
		frame, err := walk.head()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if frame.Kind == schemas.FrameClose {
			s.frozen, s.closing, f.limit = true, s.queued, frame.Stripe
		} else {
			f.short[frame.Stripe] = frame.StripeLength
			s.entries = append(s.entries, entry{frame.Stripe, frame.StripeLength, frame.CRC, s.queued})
			if buffer, err = walk.cell(&frame, buffer); err != nil {
				s.entries = s.entries[:len(s.entries)-1]
				return err
			}
		}
		walk.skip(&frame)
		s.end = walk.offset
	}
}

// damaged deals with a shard whose next frame, behind those that were read, fails its check.
func (t *target) damaged(f *found, size int64, record *schemas.Block, fault error) error {
	s := f.shard
	acked := ackedUpTo(record, s.header.Incarnation)
	first := s.last() + 1
	if len(s.entries) == 0 || acked >= first {
		f.losses = append(f.losses, s.loss(0, fmt.Sprintf("shard %s is damaged: %v", filepath.Base(s.path()), fault)))
		f.shard, f.limit = nil, -1
		_ = s.file.Close()
		return t.disk.Move(s.path(), strings.TrimSuffix(s.path(), ".shard")+".bad")
	}
	s.frozen = true
	s.made = t.unnamed(filepath.Dir(s.path()))
	f.losses = append(f.losses, s.loss(first, fmt.Sprintf("shard %s had a torn tail: %v", filepath.Base(s.path()), fault)))
	if t.frameBehind(s, size) {
		return nil
	}
	return s.file.Truncate(s.end)
}

// ackedUpTo gives the last stripe of an incarnation that is on record as acked, -1 when there is none.
func ackedUpTo(record *schemas.Block, incarnation schemas.Incarnation) int32 {
	last := int32(-1)
	for i := range record.Shards {
		if s := &record.Shards[i]; s.Incarnation == incarnation {
			for _, r := range s.Ranges {
				last = max(last, r.Last)
			}
		}
	}
	return last
}

// frameBehind says whether a whole frame of the shard lies somewhere behind its end.
func (t *target) frameBehind(s *shard, size int64) bool {
	rest := make([]byte, size-s.end)
	if n, err := s.file.ReadAt(rest, s.end); n < len(rest) {
		return err == nil
	}
	for at := 1; at < len(rest); at++ {
		f, err := schemas.ParseFrame(rest[at:])
		if err == nil && f.Block == s.header.Block && f.Index == s.header.Index && f.Stripe > s.last() && at+f.Size() <= len(rest) {
			return schemas.CheckSums(f.Sums, rest[at+schemas.FrameHeaderSize(int(f.CellLength)):at+f.Size()]) < 0
		}
	}
	return false
}

// loss makes the ack that says that a shard's frames from a stripe on are gone.
func (s *shard) loss(first int32, reason string) schemas.Ack {
	return schemas.Ack{Kind: schemas.AckLoss, Block: s.header.Block, Generation: s.header.Generation, Policy: s.header.Policy,
		Offset: -1, First: -1, Stripes: -1, FileLength: -1, Reason: reason, Receipts: []schemas.Receipt{{
			Index: int32(s.header.Index), Target: s.target.id, Domain: s.target.domain, Incarnation: s.header.Incarnation,
			First: first, Last: schemas.MaxStripes - 1}}}
}
