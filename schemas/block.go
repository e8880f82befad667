package schemas

// BlockState is how far a block has come.
type BlockState string

// The states of a block. Sealed and degraded blocks are closed.
const (
	BlockOpen     BlockState = "OPEN"
	BlockSealed   BlockState = "SEALED"   // every stripe counts n cells
	BlockDegraded BlockState = "DEGRADED" // every stripe counts at least q cells, repair is owed
	BlockDeleted  BlockState = "DELETED"  // stays until every incarnation is removed
)

// ShardState is what the block's record says of one shard file.
type ShardState string

// The states of a shard.
const (
	ShardKeep    ShardState = "KEEP"
	ShardDrop    ShardState = "DROP"    // its target removes it, 10 minutes later
	ShardRemoved ShardState = "REMOVED" // its target has said so
)

// Run is count stripes of the same length in bytes; length 0 means not yet known.
type Run struct {
	Length int32 `avro:"length"`
	Count  int32 `avro:"count"`
}

// Range is the stripes First to Last, inclusive.
type Range struct {
	First int32 `avro:"first"`
	Last  int32 `avro:"last"`
}

// Shard is one incarnation of one index of a block: one file on one target.
type Shard struct {
	Index       int32       `avro:"index"`
	Target      TargetID    `avro:"target"`
	Domain      string      `avro:"domain"`
	Incarnation Incarnation `avro:"incarnation"`
	Ranges      []Range     `avro:"ranges"` // sorted, disjoint, not adjacent
	State       ShardState  `avro:"state"`
}

// Holds says whether the shard has a receipt for the stripe.
func (s *Shard) Holds(stripe int32) bool {
	for _, r := range s.Ranges {
		if r.First <= stripe && stripe <= r.Last {
			return true
		}
	}
	return false
}

// Block is the record of one block, written by the seal alone. Its Avro form is in avsc/block.avsc.
// Length and CRC cover the stripes below Stored; both are fixed once the block is closed.
type Block struct {
	ID         BlockID    `avro:"id"`
	Generation Generation `avro:"generation"`
	Policy     string     `avro:"policy"`
	State      BlockState `avro:"state"`
	Offset     int64      `avro:"offset"` // file offset of stripe 0; -1 when not known
	Length     int64      `avro:"length"` // bytes
	CRC        uint32     `avro:"crc"`
	Runs       []Run      `avro:"runs"`
	CRCs       []byte     `avro:"crcs"`   // CRC32C per stripe, big-endian
	Stored     int32      `avro:"stored"` // stripes below it count at least q cells
	Full       int32      `avro:"full"`   // stripes below it count n cells
	Missing    []int32    `avro:"missing"`
	Last       bool       `avro:"last"`
	FileLength int64      `avro:"fileLength"`
	Shards     []Shard    `avro:"shards"`
}

// Closed says whether the block's length is fixed and its content readable.
func (b *Block) Closed() bool { return b.State == BlockSealed || b.State == BlockDegraded }

// Stripes gives the number of stripes that the block's runs describe.
func (b *Block) Stripes() int32 {
	var n int32
	for _, r := range b.Runs {
		n += r.Count
	}
	return n
}

// StripeLength gives the data bytes of a stripe, 0 when it is not known.
func (b *Block) StripeLength(stripe int32) int32 {
	for _, r := range b.Runs {
		if stripe < r.Count {
			return r.Length
		}
		stripe -= r.Count
	}
	return 0
}

// StripeCRC gives the CRC32C of a stripe that the runs describe.
func (b *Block) StripeCRC(stripe int32) uint32 { return CRCAt(b.CRCs, int(stripe)) }

// Position says how far a fold has come on one partition of its input. Partitions pins the input's count.
type Position struct {
	Link       string   `avro:"link"`
	Topic      [16]byte `avro:"topic"` // the input topic's id
	Partitions int32    `avro:"partitions"`
	Next       int64    `avro:"next"` // offset of the next record to be consumed
	CRC        uint32   `avro:"crc"`  // CRC32C of the last record consumed: key, then value; 0 when there was none
}

// PositionKey is the key of a link's position record on a compacted topic.
func PositionKey(link string) []byte { return []byte("position/" + link) }

// BlockRecord is the value of the blocks topic; exactly one member is set.
type BlockRecord struct {
	Block    *Block    `avro:"block"`
	Position *Position `avro:"position"`
}
