package pipeline

import (
	"context"
	"slices"

	"stripeline/consumers/blockstore"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// announceShards acks what this worker's targets have and the record of its block lacks: the acks of a crash, or of a
// target that was away. A shard that the record knows is passed over, whatever its state.
func (w *Worker) announceShards(ctx context.Context) error {
	if err := w.view.CatchUp(ctx); err != nil {
		if ctx.Err() == nil {
			w.site.Log.Warn("shards are not announced", "error", err)
		}
		return nil
	}
	for shard, err := range w.store.Shards(ctx) {
		if err == nil && w.lacks(shard) {
			err = w.announceShard(ctx, shard)
		}
		if err != nil && ctx.Err() == nil {
			w.site.Log.Warn("a shard is not announced", "block", shard.Header.Block, "index", shard.Header.Index, "error", err)
		}
	}
	return nil
}

// lacks says whether the block's record does not know the shard, or not all of it while the block is open.
func (w *Worker) lacks(shard blockstore.ShardInfo) bool {
	if shard.Last < shard.First {
		return false
	}
	block, ok := w.blocks.Lookup(shard.Header.Block)
	if !ok {
		return true
	}
	i := slices.IndexFunc(block.Shards, func(s schemas.Shard) bool { return s.Incarnation == shard.Header.Incarnation })
	return i < 0 || block.State == schemas.BlockOpen && !block.Shards[i].Holds(shard.Last)
}

func (w *Worker) announceShard(ctx context.Context, shard blockstore.ShardInfo) error {
	acks, err := w.store.Announce(ctx, shard)
	if err != nil {
		return err
	}
	records := make([]*kafka.Record, len(acks))
	for i, ack := range acks {
		if records[i], err = w.site.ackRecord(ack); err != nil {
			return err
		}
	}
	return w.producer.ProduceSync(ctx, records...)
}
