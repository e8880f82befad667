package schemas

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unique"
)

// PacketKind says what a packet is.
type PacketKind string

// The kinds of packets.
const (
	PacketData  PacketKind = "DATA"  // one stripe of data
	PacketEnd   PacketKind = "END"   // the writer's end of a block
	PacketFence PacketKind = "FENCE" // a taker's end of somebody else's block
)

// Packet is one record of the packets topic: at most one stripe of data with its chunk checksums, or the end of a
// block. Its Avro form is avsc/packet.avsc; the payload is its last field, so that it can be written in place.
type Packet struct {
	Kind       PacketKind        `avro:"kind"`
	Block      BlockID           `avro:"block"`
	Generation Generation        `avro:"generation"`
	Policy     string            `avro:"policy"`
	Stripe     int32             `avro:"stripe"`     // DATA: number in the block; END: stripes sent; FENCE: -1
	Offset     int64             `avro:"offset"`     // file offset, bytes
	CRC        uint32            `avro:"crc"`        // CRC32C of the payload; END: of the block's content
	Last       bool              `avro:"last"`       // END: the file ends here
	FileLength int64             `avro:"fileLength"` // bytes; -1 unless Last
	Path       string            `avro:"path"`       // stripe 0 and a last END
	Metadata   map[string]string `avro:"metadata"`   // stripe 0
	Checksums  []byte            `avro:"checksums"`  // CRC32C per ChunkSize, big-endian
	Payload    []byte            `avro:"payload"`
}

// MaxStripes is the largest number of stripes in a block.
const MaxStripes = 4096

// AppendHead appends everything of the packet's value but its payload: the registry's five bytes, all fields before
// the payload, and the payload's length. A writer that puts payload directly behind it has the whole value.
func (c *PacketCodec) AppendHead(dst []byte, p *Packet) ([]byte, error) {
	bare := *p
	bare.Payload = nil
	dst, err := c.codec.Append(dst, &bare)
	if err != nil {
		return dst, err
	}
	return binary.AppendVarint(dst[:len(dst)-1], int64(len(p.Payload))), nil
}

// PacketCodec encodes and decodes packets. It is safe for concurrent use.
type PacketCodec struct{ codec *Codec[Packet] }

// Append appends the packet's whole value.
func (c *PacketCodec) Append(dst []byte, p *Packet) ([]byte, error) {
	dst, err := c.AppendHead(dst, p)
	return append(dst, p.Payload...), err
}

// Decode reads a packet's value. Checksums and Payload alias b, nothing else does: who keeps a packet's names does not
// keep the whole fetch that it came in. What cannot be read is a Reject.
func (c *PacketCodec) Decode(b []byte) (Packet, error) {
	p, err := c.codec.Decode(b)
	if err != nil {
		return Packet{}, err
	}
	p.Kind, p.Policy = PacketKind(intern(string(p.Kind))), intern(p.Policy)
	p.Path = strings.Clone(p.Path)
	metadata := p.Metadata
	p.Metadata = nil
	for key, value := range metadata {
		if p.Metadata == nil {
			p.Metadata = make(map[string]string, len(metadata))
		}
		p.Metadata[strings.Clone(key)] = strings.Clone(value)
	}
	return p, nil
}

// intern gives a text of its own, one for all that are equal.
func intern(s string) string { return unique.Make(s).Value() }

// String names the packet: kind, block, stripe.
func (p *Packet) String() string {
	return fmt.Sprintf("%s packet of block %s, stripe %d, generation %s", p.Kind, p.Block, p.Stripe, p.Generation)
}
