// Package schemas is the floor of the house: the nouns of Stripeline, their Avro schemas and byte formats, and the
// codec between the two. All rooms import it; it imports none of them.
//
// # Topics of the block journey
//
// Names are prefixed by the namespace and a dot, "stripeline." unless set. Every value is Avro behind the registry's
// five bytes (0, schema id big-endian); the schemas are in avsc/, registered as <topic>-value. The partition of a key is
// murmur2(key) with the sign bit cleared, modulo the number of partitions (librdkafka: partitioner=murmur2_random).
// Readers read committed.
//
//	topic     key                                            value                 schema
//	packets   block id, 16 bytes                             Packet                avsc/packet.avsc
//	acks      block id, 16 bytes                             Ack                   avsc/ack.avsc
//	blocks    block id, 16 bytes | position/<link>           Block | Position      avsc/block.avsc
//	commands  / and the volume of the path                   Command               avsc/command.avsc
//	files     path | command/<32 hex digits> | position/<link>   Entry | Answer | Position   avsc/file.avsc
//	targets   target id, 16 bytes                            Target                avsc/target.avsc
//
// A record of blocks lies in the partition of its acks, one of files in the partition of its commands: the partition of
// the volume's key, also for answers and positions. A null value deletes the key.
//
// # How a stranger writes a file
//
// It takes a Kafka client, an Avro library and CRC32C (Castagnoli). All checksums are CRC32C.
//
//  1. Look up the ends of the partitions of files and blocks that matter, so that no answer is missed.
//  2. Choose 12 random bytes as file id and 16 as command id. Produce to commands, key "/"+volume (the path's first
//     element if it has more than one, else nothing), a CREATE with path, file, policy and blocks, the number of blocks
//     wanted, 1 to 64. The answer appears on files under command/<hex of the command id>; its code must be "ok". It
//     gives the generation and the granted block numbers.
//  3. A block's id is the file id and the block number as four bytes, big-endian. Cut the content into payloads of k
//     times the cell size (RS-6-3-64k: 393,216 bytes); only the last of the content may be shorter. Produce each to
//     packets, key block id, as DATA: generation, policy, stripe (0, 1, 2 ... in the block), offset (of the payload in
//     the file), crc (of the payload), checksums (the CRC32C of every 4,096 bytes, big-endian, joined), payload;
//     last = false, fileLength = -1. Stripe 0 of every block carries path and metadata; elsewhere they are empty.
//     A block takes at most 4,096 stripes; 64 MiB is usual.
//  4. End each block with an END: stripe = number of its stripes, offset = file offset behind it, crc = of all its
//     payloads together, checksums and payload empty. The END of the last block has last = true, fileLength = the
//     file's length, and the path.
//  5. Wait on blocks until each block's state is SEALED or DEGRADED, and compare length and crc with what was sent.
//  6. Produce to commands a COMMIT: path, file, generation, length, crc of the whole content, extents (offset, block,
//     blocks, blockOffset = 0, length; in order, without gaps) and as unused the granted numbers that no block took.
//     When its answer on files says "ok", the file is readable.
//
// An empty file is CREATE and COMMIT without extents. Produce with acks=all; a repeated record changes nothing.
//
// # Shards and frames
//
// On a target a shard is the file <2 hex digits>/<block id>-<index>-<incarnation>.shard, below the first two hex digits
// of the block's id: the header of [ShardHeader], then frames in order of stripe, each the header of [Frame] and the
// cell's data. An empty cell has no frame. The layouts stand at [AppendShardHeader] and [AppendFrame].
package schemas
