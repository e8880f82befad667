// Package verify is in the processors room: it checks that a packet is what it says, before anything trusts it.
//
// Every fault is a reject with a code of its own:
//
//	code        what is wrong
//	partition   the record does not lie in partition murmur2(key)
//	key         the key is not the packet's block id
//	kind        not DATA, END or FENCE
//	policy      the policy's name is not one
//	generation  not an Avro long's positive half
//	stripe      DATA: not in 0 to 4095; END: not a count in 0 to 4096; FENCE: not -1
//	offset      negative file offset (a FENCE may have -1), or one that overflows with the payload
//	length      DATA: not 1 to k*cell bytes; END and FENCE: there is a payload; a file length where none belongs
//	path        a path or metadata where none is allowed, or a path that the catalog does not take
//	metadata    metadata too large for a shard's header
//	checksums   not one checksum per chunk
//	checksum    a chunk differs from its checksum
//	crc         the payload differs from the stripe's CRC32C
package verify

import (
	"bytes"
	"fmt"
	"math"

	"stripeline/schemas"
)

// MaxMetadata is the largest sum of the bytes of path, keys and values of a packet, so that a shard's header has room.
const MaxMetadata = schemas.MaxShardHeader / 2

// Stage passes the packet of a delivery on when all of it holds, and gives a Reject otherwise. The packet's slices
// alias the delivery's.
func Stage(d schemas.Delivery, emit func(schemas.Packet)) error {
	if err := Check(&d); err != nil {
		return err
	}
	emit(d.Packet)
	return nil
}

// Check gives the first fault of a delivery as a Reject, or nil.
func Check(d *schemas.Delivery) error {
	p := &d.Packet
	if err := schemas.CheckPartition(d.Key, d.Partition, d.Partitions); err != nil {
		return err
	}
	if !bytes.Equal(d.Key, p.Block[:]) {
		return reject(p, "key", "the record's key is %x: make it the 16 bytes of the block id", d.Key)
	}
	policy, err := schemas.ParsePolicy(p.Policy)
	if err != nil {
		return reject(p, "policy", "%v", err)
	}
	if p.Generation > math.MaxInt64 {
		return reject(p, "generation", "a generation is below 2^63")
	}
	fence := p.Kind == schemas.PacketFence && p.Offset == -1
	if p.Offset < 0 && !fence || p.Offset > math.MaxInt64-int64(len(p.Payload)) {
		return reject(p, "offset", "file offset %d is not one", p.Offset)
	}
	if err := checkName(p); err != nil {
		return err
	}
	switch p.Kind {
	case schemas.PacketData:
		return checkData(p, policy)
	case schemas.PacketEnd, schemas.PacketFence:
		return checkClose(p)
	}
	return reject(p, "kind", "kind %q is none of DATA, END, FENCE", string(p.Kind))
}

func checkData(p *schemas.Packet, policy schemas.Policy) error {
	switch {
	case p.Stripe < 0 || p.Stripe >= schemas.MaxStripes:
		return reject(p, "stripe", "a block has stripes 0 to %d", schemas.MaxStripes-1)
	case len(p.Payload) < 1 || len(p.Payload) > policy.Stripe():
		return reject(p, "length", "payload of %d bytes: a stripe of %s has 1 to %d", len(p.Payload), policy, policy.Stripe())
	case p.Last || p.FileLength != -1:
		return reject(p, "length", "a DATA packet has last false and file length -1, not %t and %d", p.Last, p.FileLength)
	case len(p.Checksums) != 4*schemas.Chunks(len(p.Payload)):
		return reject(p, "checksums", "%d bytes of checksums for %d bytes of payload: want %d, one CRC32C per %d bytes",
			len(p.Checksums), len(p.Payload), 4*schemas.Chunks(len(p.Payload)), schemas.ChunkSize)
	}
	if chunk := schemas.CheckSums(p.Checksums, p.Payload); chunk >= 0 {
		return reject(p, "checksum", "chunk %d of the payload differs from its CRC32C", chunk)
	}
	if crc := schemas.CRC(p.Payload); crc != p.CRC {
		return reject(p, "crc", "the payload's CRC32C is %08x, the packet says %08x", crc, p.CRC)
	}
	return nil
}

func checkClose(p *schemas.Packet) error {
	switch {
	case p.Kind == schemas.PacketFence && p.Stripe != -1:
		return reject(p, "stripe", "a FENCE has stripe -1")
	case p.Kind == schemas.PacketEnd && (p.Stripe < 0 || p.Stripe > schemas.MaxStripes):
		return reject(p, "stripe", "an END counts 0 to %d stripes", schemas.MaxStripes)
	case len(p.Payload) > 0 || len(p.Checksums) > 0:
		return reject(p, "length", "only DATA has payload and checksums, this has %d and %d bytes", len(p.Payload), len(p.Checksums))
	case p.Last && p.Kind == schemas.PacketFence:
		return reject(p, "length", "a FENCE does not end a file")
	case !p.Last && p.FileLength != -1:
		return reject(p, "length", "file length %d without last: make it -1", p.FileLength)
	case p.Last && p.FileLength != p.Offset:
		return reject(p, "length", "file length %d, but its last block ends at %d", p.FileLength, p.Offset)
	}
	return nil
}

// checkName checks path and metadata: stripe 0 must have a path, a last END may have one, nothing else has any.
func checkName(p *schemas.Packet) error {
	first := p.Kind == schemas.PacketData && p.Stripe == 0
	allowed := first || p.Kind == schemas.PacketEnd && p.Last
	size := len(p.Path)
	for key, value := range p.Metadata {
		size += len(key) + len(value) + 6
	}
	switch {
	case p.Path != "" && !allowed:
		return reject(p, "path", "only stripe 0 and a last END carry a path, not %q", p.Path)
	case len(p.Metadata) > 0 && !first:
		return reject(p, "path", "only stripe 0 carries metadata")
	case size > MaxMetadata:
		return reject(p, "metadata", "path and metadata have %d bytes, at most %d", size, MaxMetadata)
	case p.Path == "" && !first:
		return nil
	}
	if err := schemas.CheckPath(p.Path); err != nil {
		return reject(p, "path", "%v", err)
	}
	return nil
}

func reject(p *schemas.Packet, code, format string, args ...any) error {
	return schemas.Reject(code, fmt.Sprintf("%s: %s", p, fmt.Sprintf(format, args...)))
}
