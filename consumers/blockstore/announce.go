package blockstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"stripeline/schemas"
)

// Announce reads a shard that Shards has given, checks every cell, fsyncs it again, and gives receipts for what is
// good: for shards that their block's record lacks. Damage ends what is announced, it is no error here.
func (s *Store) Announce(ctx context.Context, info ShardInfo) ([]schemas.Ack, error) {
	t := s.byID[info.Target]
	if t == nil {
		return nil, fmt.Errorf("announce shard of block %s on target %s: %w", info.Header.Block, info.Target, ErrNoTarget)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var acks []schemas.Ack
	if err := t.do(func() (err error) { acks, err = t.announce(info.Header); return err }); err != nil {
		return nil, fmt.Errorf("announce shard of block %s: %w", info.Header.Block, err)
	}
	return acks, nil
}

// announce runs as an operation of the target.
func (t *target) announce(h schemas.ShardHeader) ([]schemas.Ack, error) {
	path := ShardPath(t.dir, h.Block, int32(h.Index), h.Incarnation)
	file, err := t.disk.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	acks, err := t.receipts(file, size)
	if err != nil && !errors.Is(err, schemas.ErrBadFrame) {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	for _, dir := range t.unnamed(filepath.Dir(path)) {
		if err := t.disk.SyncDir(dir); err != nil {
			return nil, err
		}
	}
	return acks, nil
}

// receipts makes one ack for each run of consecutive stripes of a shard. The error is what ended it before the end.
func (t *target) receipts(file io.ReaderAt, size int64) ([]schemas.Ack, error) {
	walk, err := newScanner(file, size)
	if err != nil {
		return nil, err
	}
	var acks []schemas.Ack
	var buffer []byte
	for {
		f, err := walk.head()
		if errors.Is(err, io.EOF) {
			return acks, nil
		}
		if err != nil {
			return acks, err
		}
		if f.Kind == schemas.FrameCell {
			if buffer, err = walk.cell(&f, buffer); err != nil {
				return acks, err
			}
			acks = t.announced(acks, &f, &walk.header)
		}
		walk.skip(&f)
	}
}

// announced adds a frame to the last ack, or begins another.
func (t *target) announced(acks []schemas.Ack, f *schemas.Frame, h *schemas.ShardHeader) []schemas.Ack {
	if n := len(acks); n == 0 || acks[n-1].Receipts[0].Last != f.Stripe-1 {
		acks = append(acks, schemas.Ack{Kind: schemas.AckReceipt, Block: h.Block, Generation: h.Generation, Policy: h.Policy,
			Offset: f.Offset, First: f.Stripe, Stripes: -1, FileLength: -1, Receipts: []schemas.Receipt{{Index: int32(h.Index),
				Target: t.id, Domain: t.domain, Incarnation: h.Incarnation, First: f.Stripe}}})
	}
	last := &acks[len(acks)-1]
	last.Lengths = append(last.Lengths, f.StripeLength)
	last.CRCs = binary.BigEndian.AppendUint32(last.CRCs, f.CRC)
	last.Receipts[0].Last = f.Stripe
	return acks
}
