// Package reader is in the consumers room: it reads a committed file back from the shards of its blocks.
//
// No byte leaves before it is proven: a frame counts only when its header is whole, names exactly the block,
// generation, index, stripe, lengths, file offset and stripe CRC32C that the block's record has, and its chunks agree
// with their checksums. A stripe that was read whole, reconstructed or not, counts only when its CRC32C is the record's.
// A frame that does not count is taken as erased: another incarnation of its index is tried, then parity. When whole
// frames do not add up to the stripe, other choices of k of them are tried and the odd one out is damage; a range
// within a stripe, which is read without the rest, trusts its frames.
//
// Three ways to read, from least to most read-ahead:
//
//	ReadAt          the frame headers and chunks that the range touches; whole stripes where it covers them
//	Read after Seek 1 stripe, then 2, 4, ... up to a batch, with the next batch under way
//	WriteTo         batches: about 1 MiB from each of k shards at once, with the next batch under way
//
// A batch that lacks cells reads parity for the stripes that need it and decodes them on all cores.
package reader
