package blockfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"stripeline/schemas"
)

// Errors of New and of Next.
var (
	// ErrShortSpace is returned when a payload would not fit: give Next at least Policy.Stripe() bytes.
	ErrShortSpace = errors.New("space for the payload is too small")
	// ErrNumbers is returned when the grant of block numbers is empty or beyond what a block id can hold.
	ErrNumbers = errors.New("unusable grant of block numbers")
)

// Config says whose packets are cut.
type Config struct {
	File       schemas.FileID
	Generation schemas.Generation
	Policy     schemas.Policy
	Path       string
	Metadata   map[string]string
	Offset     int64             // file offset of the input's first byte, 0 but for an append
	Size       int64             // bytes of the input when known, else 0: only decides how many numbers are asked for
	Granted    []schemas.Numbers // block numbers that are granted already, as in the answer to create
	// Grant asks for more block numbers, 1 to schemas.MaxGrant of them.
	Grant func(ctx context.Context, count int) ([]schemas.Numbers, error)
}

// Cutter is a source of packets. One goroutine uses it. Behind an error, io.EOF included, every call gives the same
// error again.
type Cutter struct {
	config  Config
	in      io.Reader
	numbers numbers
	policy  string
	open    bool  // a block has begun and has had no END yet
	block   Block // the block being cut
	limit   int32 // stripes of the block
	peeked  []byte
	offset  int64 // file offset of the next byte
	crc     uint32
	blocks  []Block
	err     error
	ended   bool // the input has no more bytes
	peek    [1]byte
}

// Block is what was cut into one block.
type Block struct {
	ID      schemas.BlockID
	Offset  int64 // file offset of its first byte
	Length  int64 // bytes
	Stripes int32
	CRC     uint32 // CRC32C of its content
}

// New makes a cutter that reads in to its end. The metadata is copied.
func New(in io.Reader, config Config) *Cutter {
	config.Metadata = maps.Clone(config.Metadata)
	c := &Cutter{config: config, in: in, policy: config.Policy.String(), offset: config.Offset}
	c.numbers.give(config.Granted)
	return c
}

// Next gives the next packet, or io.EOF behind the last one. It reads a DATA packet's payload into the beginning of
// space, which needs Policy.Stripe() bytes: Payload aliases it, so that a caller who keeps Headroom bytes before space
// can put the encoded head directly before the payload and has the record's value without a copy.
// Checksums are the packet's own. Errors are ErrShortSpace, ErrNumbers, those of Grant and those of the input.
func (c *Cutter) Next(ctx context.Context, space []byte) (schemas.Packet, error) {
	if c.err != nil {
		return schemas.Packet{}, c.err
	}
	packet, err := c.next(ctx, space)
	c.err = err
	return packet, err
}

// Headroom gives a number of bytes that is never less than the encoded head of a packet of this cutter.
func (c *Cutter) Headroom() int {
	const fixed = 256 // registry header, ids, numbers and lengths of all other fields
	room := fixed + len(c.policy) + len(c.config.Path) + 4*schemas.Chunks(c.config.Policy.Stripe())
	for key, value := range c.config.Metadata {
		room += len(key) + len(value) + 20
	}
	return room
}

// Length gives the bytes cut so far; Next's io.EOF makes it the input's.
func (c *Cutter) Length() int64 { return c.offset - c.config.Offset }

// CRC gives the CRC32C of the bytes cut so far.
func (c *Cutter) CRC() uint32 { return c.crc }

// Blocks gives the blocks that have ended, in order.
func (c *Cutter) Blocks() []Block { return c.blocks }

// Unused gives the granted numbers that no packet has used.
func (c *Cutter) Unused() []schemas.Numbers { return c.numbers.left() }

// Extents gives the extents of the blocks that have ended: runs of consecutive numbers are one extent.
func (c *Cutter) Extents() []schemas.Extent {
	var extents []schemas.Extent
	for _, b := range c.blocks {
		if n := len(extents); n > 0 {
			last := &extents[n-1]
			if uint64(last.Block.Number())+uint64(last.Blocks) == uint64(b.ID.Number()) {
				last.Blocks++
				last.Length += b.Length
				continue
			}
		}
		extents = append(extents, schemas.Extent{Offset: b.Offset, Block: b.ID, Blocks: 1, Length: b.Length})
	}
	return extents
}

func (c *Cutter) next(ctx context.Context, space []byte) (schemas.Packet, error) {
	stripe := c.config.Policy.Stripe()
	if len(space) < stripe {
		return schemas.Packet{}, fmt.Errorf("cut packet of %s: %w: %d of %d bytes", c.config.Path, ErrShortSpace, len(space), stripe)
	}
	if err := ctx.Err(); err != nil {
		return schemas.Packet{}, err
	}
	if c.open && c.block.Stripes == c.limit {
		if err := c.look(); err != nil {
			return schemas.Packet{}, err
		}
		return c.end(), nil
	}
	n, err := c.fill(space[:stripe])
	switch {
	case err != nil:
		return schemas.Packet{}, err
	case n > 0:
		return c.data(ctx, space[:n:n])
	case c.open:
		return c.end(), nil
	}
	return schemas.Packet{}, io.EOF
}

// fill reads until b is full or the input ends; ended says which.
func (c *Cutter) fill(b []byte) (int, error) {
	if c.ended {
		return 0, nil
	}
	had := copy(b, c.peeked)
	c.peeked = nil
	n, err := io.ReadFull(c.in, b[had:])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		c.ended, err = true, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read input of %s at %d: %w", c.config.Path, c.Length()+int64(had+n), err)
	}
	return had + n, nil
}

// look finds out whether the input goes on behind a full block, by reading one byte of it.
func (c *Cutter) look() error {
	n, err := c.fill(c.peek[:])
	c.peeked = c.peek[:n]
	return err
}

func (c *Cutter) data(ctx context.Context, payload []byte) (schemas.Packet, error) {
	if !c.open {
		if err := c.begin(ctx); err != nil {
			return schemas.Packet{}, err
		}
	}
	p := c.packet(schemas.PacketData)
	p.Payload, p.Checksums, p.CRC = payload, schemas.AppendSums(nil, payload), schemas.CRC(payload)
	if p.Stripe == 0 {
		p.Path, p.Metadata = c.config.Path, c.config.Metadata
	}
	length := int64(len(payload))
	c.block.CRC = schemas.CombineCRC(c.block.CRC, p.CRC, length)
	c.crc = schemas.CombineCRC(c.crc, p.CRC, length)
	c.block.Length += length
	c.block.Stripes++
	c.offset += length
	return p, nil
}

func (c *Cutter) begin(ctx context.Context) error {
	number, err := c.numbers.take(ctx, &c.config)
	if err != nil {
		return fmt.Errorf("begin block of %s: %w", c.config.Path, err)
	}
	c.block = Block{ID: c.config.File.Block(number), Offset: c.offset}
	c.limit = Stripes(number, c.config.Policy)
	c.open = true
	return nil
}

func (c *Cutter) end() schemas.Packet {
	p := c.packet(schemas.PacketEnd)
	p.CRC, p.Last = c.block.CRC, c.ended && len(c.peeked) == 0
	if p.Last {
		p.FileLength, p.Path = c.offset, c.config.Path
	}
	c.blocks = append(c.blocks, c.block)
	c.open = false
	return p
}

func (c *Cutter) packet(kind schemas.PacketKind) schemas.Packet {
	return schemas.Packet{Kind: kind, Block: c.block.ID, Generation: c.config.Generation, Policy: c.policy,
		Stripe: c.block.Stripes, Offset: c.offset, FileLength: -1}
}
