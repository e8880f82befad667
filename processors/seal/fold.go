// Package seal is in the processors room: it folds the acks of a block into the block's record, and is the one place
// that says what of a block is stored, where it ends, and which of its shards are to be kept.
//
// The record is the fold's whole memory; the zero record is a block never heard of. Shards are sorted by index, then
// incarnation.
//
//	ack       never heard of     open                          closed (sealed, degraded)       deleted
//	RECEIPT   open, counted      counted                       counted within the close        new incarnations are
//	                                                                                           named, to be dropped
//	CLOSE     closed, empty      closed at the stored prefix   ignored                         ignored
//	LOSS      ignored            ranges taken away             the same; may degrade           ignored
//	REMOVED   ignored            the shard is removed          the same; may degrade           the shard is removed
//	DELETE    deleted            deleted                       deleted                         ignored
//
// Of a receipt, stripes count whose length and CRC are the record's, or which the record does not know yet; the first
// content stands. Its shard is named in any case. REFUSED, REPAIR and DRAIN are for others. A receipt or loss of another generation is ignored, and so is a close of an
// older one (a fence is of a newer one). Receipts of repair never make a record and never describe a stripe.
//
// A stripe counts as many cells as distinct indexes can be matched one to one with distinct domains; an empty cell
// counts as stored. Stored is the prefix of stripes that count at least q, Full the prefix that counts n. q is n, and
// the policy's quorum once an index was given up or lost. A closed block is sealed when all its stripes count n, else
// degraded. Of a sealed block, shards without which it is still sealed are dropped; dropped and removed are for good.
package seal

import (
	"fmt"

	"stripeline/schemas"
)

// Fold folds one ack into its block's record and emits the record when it changed. What it gives back and emits shares
// memory with the record it was given, never with the ack; nobody changes records in place.
//
// An ack whose identity is wrong is a Reject: of another block, of an unknown policy or kind, with indexes, stripes or
// lengths that its policy does not have, or with a list of CRCs that does not go with its lengths.
func Fold(s schemas.Block, ack schemas.Ack, emit func(schemas.Block)) (schemas.Block, error) {
	d := draft{Block: s}
	if err := d.apply(&ack); err != nil {
		return s, err
	}
	if same(&s, &d.Block) {
		return s, nil
	}
	emit(d.Block)
	return d.Block, nil
}

// draft is a record on its way to the next one. Its slices are the old record's until they are replaced.
type draft struct {
	schemas.Block
	policy schemas.Policy
}

func (d *draft) apply(ack *schemas.Ack) error {
	switch ack.Kind {
	case schemas.AckRefused, schemas.AckRepair, schemas.AckDrain:
		return nil
	}
	policy, err := check(&d.Block, ack)
	if err != nil {
		return err
	}
	if d.policy = policy; d.State != "" {
		if d.policy, err = schemas.ParsePolicy(d.Policy); err != nil {
			return fmt.Errorf("fold ack into block %s: %w", d.ID, err)
		}
	}
	switch ack.Kind {
	case schemas.AckReceipt:
		d.receipt(ack)
	case schemas.AckClose:
		d.close(ack)
	case schemas.AckLoss:
		d.loss(ack)
	case schemas.AckRemoved:
		d.removed(ack)
	case schemas.AckDelete:
		d.delete(ack)
	}
	return nil
}
