package blockstore

import (
	"sync"

	"stripeline/schemas"
)

// names remembers which blocks have shards on the targets, so that a new block costs no listing of directories. It
// is right as long as the store holds its locks: nobody else makes shards. A block in it may have none any more.
type names struct {
	mu          sync.Mutex
	directories [256]directory // by the first byte of the block
}

// directory is one of the 256 directories, of all targets together.
type directory struct {
	read   map[*target]bool
	blocks map[schemas.BlockID]struct{}
}

// unsure gives the targets that may hold shards of the block.
func (n *names) unsure(id schemas.BlockID, all []*target) []*target {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := &n.directories[id[0]]
	if _, known := d.blocks[id]; known {
		return all
	}
	var unsure []*target
	for _, t := range all {
		if !d.read[t] {
			unsure = append(unsure, t)
		}
	}
	return unsure
}

// listed notes the blocks that a target has in the directory of a block.
func (n *names) listed(id schemas.BlockID, t *target, blocks []schemas.BlockID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := &n.directories[id[0]]
	if d.read == nil {
		d.read, d.blocks = make(map[*target]bool), make(map[schemas.BlockID]struct{})
	}
	if d.read[t] {
		return
	}
	d.read[t] = true
	for _, block := range blocks {
		d.blocks[block] = struct{}{}
	}
}

// add notes a block that is about to get shards.
func (n *names) add(id schemas.BlockID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := &n.directories[id[0]]
	if d.read == nil {
		d.read, d.blocks = make(map[*target]bool), make(map[schemas.BlockID]struct{})
	}
	d.blocks[id] = struct{}{}
}
