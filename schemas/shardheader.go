package schemas

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// The layout of the header at the beginning of a shard file; all numbers big-endian:
//
//	bytes  field
//	    4  magic "SLS1"
//	    2  version, 1
//	    2  index of the shard, 0 to k+m-1
//	    4  size of the whole header, its checksum included
//	   16  block id
//	    8  generation
//	    8  incarnation
//	  2+n  policy's name: length, bytes
//	  2+n  path: length, bytes; empty when the shard does not begin at stripe 0
//	    2  number of metadata pairs, then for each in order of key: 2+n key, 4+n value
//	    4  CRC32C of the header before it
const (
	shardMagic   = 0x534c5331
	shardVersion = 1
	shardFixed   = 44
	// MaxShardHeader is the largest header of a shard file, in bytes.
	MaxShardHeader = 64 << 10
)

// ShardHeader is the identity of a shard file.
type ShardHeader struct {
	Block       BlockID
	Generation  Generation
	Index       int
	Incarnation Incarnation
	Policy      string
	Path        string
	Metadata    map[string]string
}

// AppendShardHeader appends the header of a shard file.
func AppendShardHeader(dst []byte, h *ShardHeader) []byte {
	start := len(dst)
	be := binary.BigEndian
	dst = be.AppendUint32(dst, shardMagic)
	dst = be.AppendUint16(dst, shardVersion)
	dst = be.AppendUint16(dst, uint16(h.Index))
	dst = be.AppendUint32(dst, 0)
	dst = append(dst, h.Block[:]...)
	dst = be.AppendUint64(dst, uint64(h.Generation))
	dst = append(dst, h.Incarnation[:]...)
	dst = append(be.AppendUint16(dst, uint16(len(h.Policy))), h.Policy...)
	dst = append(be.AppendUint16(dst, uint16(len(h.Path))), h.Path...)
	dst = be.AppendUint16(dst, uint16(len(h.Metadata)))
	for _, key := range slices.Sorted(maps.Keys(h.Metadata)) {
		dst = append(be.AppendUint16(dst, uint16(len(key))), key...)
		dst = append(be.AppendUint32(dst, uint32(len(h.Metadata[key]))), h.Metadata[key]...)
	}
	be.PutUint32(dst[start+8:], uint32(len(dst)-start+4))
	return be.AppendUint32(dst, CRC(dst[start:]))
}

// ParseShardHeader reads the header at the beginning of a shard file and gives its size, where the first frame
// begins. The error is ErrBadFrame, also when b is too short.
func ParseShardHeader(b []byte) (ShardHeader, int, error) {
	var h ShardHeader
	be := binary.BigEndian
	if len(b) < shardFixed || be.Uint32(b) != shardMagic || be.Uint16(b[4:]) != shardVersion {
		return h, 0, fmt.Errorf("parse shard header: %w: no shard begins here", ErrBadFrame)
	}
	size := int(be.Uint32(b[8:]))
	if size < shardFixed || size > min(len(b), MaxShardHeader) || be.Uint32(b[size-4:]) != CRC(b[:size-4]) {
		return h, 0, fmt.Errorf("parse shard header: %w: size or checksum differs", ErrBadFrame)
	}
	h.Index = int(be.Uint16(b[6:]))
	h.Block, h.Generation = BlockID(b[12:28]), Generation(be.Uint64(b[28:]))
	h.Incarnation = Incarnation(b[36:44])
	r := &fieldReader{rest: b[shardFixed : size-4]}
	h.Policy, h.Path = r.text(r.number(2)), r.text(r.number(2))
	for n := r.number(2); n > 0 && !r.short; n-- {
		if h.Metadata == nil {
			h.Metadata = make(map[string]string)
		}
		key := r.text(r.number(2))
		h.Metadata[key] = r.text(r.number(4))
	}
	if r.short || len(r.rest) > 0 {
		return h, 0, fmt.Errorf("parse shard header: %w: fields do not fill it", ErrBadFrame)
	}
	return h, size, nil
}

// fieldReader takes fields off the front of rest; short is set, for good, when there was too little.
type fieldReader struct {
	rest  []byte
	short bool
}

func (r *fieldReader) number(bytes int) int {
	var n uint64
	for _, b := range r.take(bytes) {
		n = n<<8 | uint64(b)
	}
	return int(n)
}

func (r *fieldReader) text(length int) string { return string(r.take(length)) }

func (r *fieldReader) take(n int) []byte {
	if r.short || n > len(r.rest) {
		r.short = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}
