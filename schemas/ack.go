package schemas

import "encoding/binary"

// AckKind says what an ack reports or asks.
type AckKind string

// The kinds of acks.
const (
	AckReceipt AckKind = "RECEIPT" // frames are durable
	AckClose   AckKind = "CLOSE"   // the block ends behind what was receipted before
	AckLoss    AckKind = "LOSS"    // receipted frames are gone or rotten
	AckRemoved AckKind = "REMOVED" // a shard was removed because its block's record said so
	AckRefused AckKind = "REFUSED" // a packet was refused
	AckDelete  AckKind = "DELETE"  // no file names the block any more
	AckRepair  AckKind = "REPAIR"  // a person asks for repair
	AckDrain   AckKind = "DRAIN"   // a person asks for a target to be emptied
)

// Receipt is a target's word that frames First to Last (inclusive) of one shard were in its file when it was fsynced.
type Receipt struct {
	Index       int32       `avro:"index"`
	Target      TargetID    `avro:"target"`
	Domain      string      `avro:"domain"`
	Incarnation Incarnation `avro:"incarnation"`
	First       int32       `avro:"first"`
	Last        int32       `avro:"last"`
	Repaired    bool        `avro:"repaired"`
}

// Ack is one record of the acks topic, about one block. Its Avro form is avsc/ack.avsc.
// Lengths and CRCs describe the stripes from First on and cover every range in Receipts.
type Ack struct {
	Kind       AckKind    `avro:"kind"`
	Block      BlockID    `avro:"block"`
	Generation Generation `avro:"generation"`
	Policy     string     `avro:"policy"`
	Offset     int64      `avro:"offset"` // RECEIPT: file offset of stripe First; CLOSE: behind the block; else -1
	First      int32      `avro:"first"`
	Lengths    []int32    `avro:"lengths"`
	CRCs       []byte     `avro:"crcs"`
	Receipts   []Receipt  `avro:"receipts"`
	Missing    []int32    `avro:"missing"`
	Stripes    int32      `avro:"stripes"` // CLOSE: the worker's count, -1 when it does not know; else -1
	Last       bool       `avro:"last"`
	FileLength int64      `avro:"fileLength"`
	Reason     string     `avro:"reason"`
}

// CRCAt gives the i-th CRC32C of a list of big-endian ones.
func CRCAt(crcs []byte, i int) uint32 { return binary.BigEndian.Uint32(crcs[4*i:]) }
