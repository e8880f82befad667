// Package blockstore is in the consumers room: it keeps the cells of stripes as frames in shard files on storage
// targets, and says in acks what is durable there.
//
// A target is a directory:
//
//	name                                                   what
//	stripeline-target                                      id file: who this target is; its lock is the ownership
//	<2 hex digits of block>/<block>-<index>-<incarnation>.shard   shard header, then frames in order of stripe
//	the same with .bad in place of .shard                  a shard whose check failed, kept for people
//
// A shard file grows at its end only. What a target answers to the cell of a stripe:
//
//	answer    when                                            what happens
//	stored    the stripe is the shard's next                  frame appended, receipt after the next fsync
//	have      same stripe, length, CRC and generation         receipt after the next fsync
//	closed    the stripe is behind the block's close          nothing is written
//	conflict  same stripe, other CRC, length or generation    with k or more the packet is a reject, else a new shard
//	gap       not the next stripe                             a new shard
//	sick      error, deadline, full disk                      the index is given up until the target works again
//
// A stripe is done when all n cells have their receipts, or when every index without one is given up and at least the
// policy's quorum has them; an empty cell counts as one that has its receipt. A file whose write or fsync went wrong
// is never written again: a new shard begins at the first stripe that still lacks a receipt for that index.
package blockstore
