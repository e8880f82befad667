package schemas

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrBadID is returned for text that is not the hexadecimal form of an id.
var ErrBadID = errors.New("not an id")

// FileID names the content that one create command began: 12 random bytes, made by the writer.
// An append keeps it, an overwrite takes a new one.
type FileID [12]byte

// BlockID is a file's id followed by the block's number, big-endian.
type BlockID [16]byte

// CommandID names one command: 16 random bytes, made by the writer. The same id is never executed twice.
type CommandID [16]byte

// TargetID names a storage target: 16 random bytes, made with its id file.
type TargetID [16]byte

// Incarnation names one shard file: 8 random bytes, made with the file.
type Incarnation [8]byte

// NewFileID makes a random file id.
func NewFileID() FileID { var id FileID; _, _ = rand.Read(id[:]); return id }

// NewCommandID makes a random command id.
func NewCommandID() CommandID { var id CommandID; _, _ = rand.Read(id[:]); return id }

// NewTargetID makes a random target id.
func NewTargetID() TargetID { var id TargetID; _, _ = rand.Read(id[:]); return id }

// NewIncarnation makes a random incarnation.
func NewIncarnation() Incarnation { var id Incarnation; _, _ = rand.Read(id[:]); return id }

// Block gives the id of the file's block with the given number.
func (f FileID) Block(number uint32) BlockID {
	var b BlockID
	copy(b[:12], f[:])
	binary.BigEndian.PutUint32(b[12:], number)
	return b
}

// File gives the id of the file that the block belongs to.
func (b BlockID) File() FileID { return FileID(b[:12]) }

// Number gives the block's number within its file, from 0.
func (b BlockID) Number() uint32 { return binary.BigEndian.Uint32(b[12:]) }

// String gives 24 hexadecimal digits.
func (f FileID) String() string { return hex.EncodeToString(f[:]) }

// String gives 32 hexadecimal digits.
func (b BlockID) String() string { return hex.EncodeToString(b[:]) }

// String gives 32 hexadecimal digits.
func (c CommandID) String() string { return hex.EncodeToString(c[:]) }

// String gives 32 hexadecimal digits.
func (t TargetID) String() string { return hex.EncodeToString(t[:]) }

// String gives 16 hexadecimal digits.
func (i Incarnation) String() string { return hex.EncodeToString(i[:]) }

// ParseFileID reads 24 hexadecimal digits; the error is ErrBadID.
func ParseFileID(s string) (id FileID, err error) { err = parseID(id[:], s); return id, err }

// ParseBlockID reads 32 hexadecimal digits; the error is ErrBadID.
func ParseBlockID(s string) (id BlockID, err error) { err = parseID(id[:], s); return id, err }

// ParseTargetID reads 32 hexadecimal digits; the error is ErrBadID.
func ParseTargetID(s string) (id TargetID, err error) { err = parseID(id[:], s); return id, err }

// ParseIncarnation reads 16 hexadecimal digits; the error is ErrBadID.
func ParseIncarnation(s string) (id Incarnation, err error) { err = parseID(id[:], s); return id, err }

func parseID(dst []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(dst) {
		return fmt.Errorf("parse id %q: %w: want %d hexadecimal digits", s, ErrBadID, 2*len(dst))
	}
	copy(dst, b)
	return nil
}

// Generation is the fencing epoch of an open, and the version of an entry: 16 bits of catalog epoch
// (raised by a rebuild, below 2^15, so that a generation is an Avro long) above 48 bits of the offset of the command
// that gave it. The higher one wins.
type Generation uint64

// NewGeneration joins a catalog epoch, below 2^15, and a command's offset, below 2^48.
func NewGeneration(epoch uint16, offset int64) Generation {
	return Generation(epoch)<<48 | Generation(offset)&(1<<48-1)
}

// Epoch gives the catalog epoch.
func (g Generation) Epoch() uint16 { return uint16(g >> 48) }

// Offset gives the offset of the command that gave the generation.
func (g Generation) Offset() int64 { return int64(g & (1<<48 - 1)) }

// String gives epoch and offset, as in "0.1742".
func (g Generation) String() string { return fmt.Sprintf("%d.%d", g.Epoch(), g.Offset()) }
