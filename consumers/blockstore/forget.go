package blockstore

import "slices"

// forget drops the blocks that were used longest ago when too many are idle, looking now and then; k.mu is held.
func (k *Sink) forget() {
	if len(k.blocks)%(idleOpen/2) != idleOpen/2-1 {
		return
	}
	var open, closed []*block
	for _, b := range k.blocks {
		switch {
		case !b.idle():
		case b.closed:
			closed = append(closed, b)
		default:
			open = append(open, b)
		}
	}
	k.forgetOldest(open, idleOpen)
	k.forgetOldest(closed, idleClosed)
}

// forgetOldest leaves half of keep when there are more.
func (k *Sink) forgetOldest(blocks []*block, keep int) {
	if len(blocks) <= keep {
		return
	}
	slices.SortFunc(blocks, func(a, b *block) int { return int(a.used - b.used) })
	for _, b := range blocks[:len(blocks)-keep/2] {
		b.drop()
		delete(k.blocks, b.id)
	}
}
