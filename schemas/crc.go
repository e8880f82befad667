package schemas

import (
	"encoding/binary"
	"hash/crc32"
)

// ChunkSize is the number of payload bytes under one checksum.
const ChunkSize = 4096

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CRC gives the CRC32C (Castagnoli) of b.
func CRC(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// ExtendCRC gives the CRC32C of what crc covers followed by b.
func ExtendCRC(crc uint32, b []byte) uint32 { return crc32.Update(crc, castagnoli, b) }

// Chunks gives the number of checksums that length bytes have.
func Chunks(length int) int { return (length + ChunkSize - 1) / ChunkSize }

// AppendSums appends the chunk checksums of b: one CRC32C per 4 KiB, big-endian, the last chunk as short as it is.
func AppendSums(dst, b []byte) []byte {
	for len(b) > 0 {
		n := min(ChunkSize, len(b))
		dst = binary.BigEndian.AppendUint32(dst, CRC(b[:n]))
		b = b[n:]
	}
	return dst
}

// CheckSums compares b with its chunk checksums and gives the number of the first chunk that differs,
// or -1 when all agree. A wrong number of checksums is a difference in the first chunk that lacks one.
func CheckSums(sums, b []byte) int {
	chunk := 0
	for len(b) > 0 {
		n := min(ChunkSize, len(b))
		if len(sums) < 4 || binary.BigEndian.Uint32(sums) != CRC(b[:n]) {
			return chunk
		}
		b, sums = b[n:], sums[4:]
		chunk++
	}
	if len(sums) > 0 {
		return chunk
	}
	return -1
}

// CombineCRC gives the CRC32C of two pieces joined, from the CRC32C of each and the length of the second.
// It multiplies first by x^(8*length) modulo the Castagnoli polynomial (reflected), as zlib's crc32_combine does.
func CombineCRC(first, second uint32, length int64) uint32 {
	shift := uint32(1) << 31 // x^0
	square := uint32(1) << 23
	for n := length; n > 0; n >>= 1 {
		if n&1 == 1 {
			shift = multiplyMod(square, shift)
		}
		square = multiplyMod(square, square)
	}
	return multiplyMod(shift, first) ^ second
}

func multiplyMod(a, b uint32) uint32 {
	var product uint32
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&1 == 1 {
			b = b>>1 ^ crc32.Castagnoli
		} else {
			b >>= 1
		}
	}
	return product
}
