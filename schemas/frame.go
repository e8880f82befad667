package schemas

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrBadFrame is returned for bytes that are not a whole, valid frame header or shard header.
var ErrBadFrame = errors.New("not a valid frame")

// The layout of a frame, on disk and on the wire; all numbers big-endian:
//
//	offset  bytes  field
//	     0      4  magic "SLF1"
//	     4      2  version, 1
//	     6      2  index of the cell, 0 to k+m-1
//	     8     16  block id
//	    24      8  generation
//	    32      4  stripe; in a close frame the number of stripes
//	    36      4  stripe length: data bytes of the whole stripe; 0 in a close frame
//	    40      4  cell length: bytes of data behind the header; 0 in a close frame
//	    44      4  kind: 1 cell, 2 close
//	    48      8  file offset of the stripe's first byte; in a close frame, behind the block
//	    56      8  file length: -1, but in the close frame of the file's last block
//	    64      4  CRC32C of the stripe's data
//	    68      4  c, the number of chunk checksums = ceil(cell length / 4096)
//	    72     4c  chunk checksums of the cell
//	 72+4c      4  CRC32C of the header before it
//	 76+4c         the cell's data
const (
	frameMagic   = 0x534c4631
	frameVersion = 1
	frameFixed   = 72
)

// FrameKind says what a frame is.
type FrameKind uint32

// The kinds of frames.
const (
	FrameCell  FrameKind = 1
	FrameClose FrameKind = 2
)

// Frame is the header of a frame.
type Frame struct {
	Kind         FrameKind
	Index        int
	Block        BlockID
	Generation   Generation
	Stripe       int32
	StripeLength int32 // bytes
	CellLength   int32 // bytes
	Offset       int64 // file offset, bytes
	FileLength   int64 // bytes, -1 when not said
	CRC          uint32
	Sums         []byte // chunk checksums of the cell
}

// FrameHeaderSize gives the bytes of the header of a frame whose cell has the given length.
func FrameHeaderSize(cell int) int { return frameFixed + 4*Chunks(cell) + 4 }

// Size gives the bytes of the whole frame: header and cell.
func (f *Frame) Size() int { return FrameHeaderSize(int(f.CellLength)) + int(f.CellLength) }

// AppendFrame appends the frame's header; the cell's data follows it.
func AppendFrame(dst []byte, f *Frame) []byte {
	start := len(dst)
	be := binary.BigEndian
	dst = be.AppendUint32(dst, frameMagic)
	dst = be.AppendUint16(dst, frameVersion)
	dst = be.AppendUint16(dst, uint16(f.Index))
	dst = append(dst, f.Block[:]...)
	dst = be.AppendUint64(dst, uint64(f.Generation))
	dst = be.AppendUint32(dst, uint32(f.Stripe))
	dst = be.AppendUint32(dst, uint32(f.StripeLength))
	dst = be.AppendUint32(dst, uint32(f.CellLength))
	dst = be.AppendUint32(dst, uint32(f.Kind))
	dst = be.AppendUint64(dst, uint64(f.Offset))
	dst = be.AppendUint64(dst, uint64(f.FileLength))
	dst = be.AppendUint32(dst, f.CRC)
	dst = be.AppendUint32(dst, uint32(len(f.Sums)/4))
	dst = append(dst, f.Sums...)
	return be.AppendUint32(dst, CRC(dst[start:]))
}

// ParseFrame reads the frame header at the beginning of b and checks it against its checksum and its own geometry.
// It does not look at the cell. Sums aliases b. The error is ErrBadFrame, also when b is too short.
func ParseFrame(b []byte) (Frame, error) {
	var f Frame
	be := binary.BigEndian
	if len(b) < frameFixed+4 || be.Uint32(b) != frameMagic || be.Uint16(b[4:]) != frameVersion {
		return f, fmt.Errorf("parse frame: %w: no frame begins here", ErrBadFrame)
	}
	sums := int64(be.Uint32(b[68:]))
	end := frameFixed + 4*sums
	if end+4 > int64(len(b)) {
		return f, fmt.Errorf("parse frame: %w: %d of %d header bytes", ErrBadFrame, len(b), end+4)
	}
	if be.Uint32(b[end:]) != CRC(b[:end]) {
		return f, fmt.Errorf("parse frame: %w: header checksum differs", ErrBadFrame)
	}
	f = Frame{
		Kind: FrameKind(be.Uint32(b[44:])), Index: int(be.Uint16(b[6:])), Block: BlockID(b[8:24]),
		Generation: Generation(be.Uint64(b[24:])), Stripe: int32(be.Uint32(b[32:])),
		StripeLength: int32(be.Uint32(b[36:])), CellLength: int32(be.Uint32(b[40:])),
		Offset: int64(be.Uint64(b[48:])), FileLength: int64(be.Uint64(b[56:])), CRC: be.Uint32(b[64:]),
		Sums: b[frameFixed:end:end],
	}
	if f.CellLength < 0 || f.Stripe < 0 || f.StripeLength < f.CellLength || Chunks(int(f.CellLength)) != int(sums) {
		return f, fmt.Errorf("parse frame: %w: cell of %d bytes in a stripe of %d with %d checksums",
			ErrBadFrame, f.CellLength, f.StripeLength, sums)
	}
	return f, nil
}
