// Package blockfile is in the producers room: it cuts a stream of bytes into the packets of a file's blocks.
//
// A block holds whole stripes, at most MaxStripes of them and at most the block size of its number:
//
//	block number        block size
//	    0 to  1,023     64 MiB
//	1,024 to  2,047     128 MiB
//	2,048 to  3,071     256 MiB
//	3,072 to  4,095     512 MiB
//	4,096 and more      1 GiB
//
// So only the last stripe of the input is short, and only the last block is smaller than its size allows. Each block
// ends with an END packet; the one behind the end of the input says so and carries the file's length. An empty input
// has no packets at all: an empty file is a commit without extents.
package blockfile
