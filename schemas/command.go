package schemas

// CommandKind says what a command asks for.
type CommandKind string

// The kinds of commands.
const (
	CommandCreate CommandKind = "CREATE" // begin an open, with granted block numbers
	CommandTake   CommandKind = "TAKE"   // take over an open
	CommandExtend CommandKind = "EXTEND" // more block numbers
	CommandCommit CommandKind = "COMMIT" // make the content readable under its path
	CommandAbort  CommandKind = "ABORT"  // give the open up
	CommandDelete CommandKind = "DELETE" // remove the path's content
	CommandRename CommandKind = "RENAME" // give it another path in the same volume
)

// MaxGrant is the largest number of block numbers that one command is granted.
const MaxGrant = 64

// Extent is one piece of a file: Length bytes at file offset Offset lie in Blocks consecutive blocks from Block on,
// beginning BlockOffset bytes into the first. Of a run of more than one, all blocks are whole.
type Extent struct {
	Offset      int64   `avro:"offset"`
	Block       BlockID `avro:"block"`
	Blocks      int32   `avro:"blocks"`
	BlockOffset int64   `avro:"blockOffset"`
	Length      int64   `avro:"length"`
}

// Numbers is Count block numbers from First on.
type Numbers struct {
	First int64 `avro:"first"`
	Count int32 `avro:"count"`
}

// Command is one record of the commands topic. Its Avro form is avsc/command.avsc, which says what each kind fills in.
type Command struct {
	ID         CommandID         `avro:"id"`
	Kind       CommandKind       `avro:"kind"`
	Path       string            `avro:"path"`
	To         string            `avro:"to"`
	File       FileID            `avro:"file"`
	Generation Generation        `avro:"generation"`
	Policy     string            `avro:"policy"`
	Blocks     int32             `avro:"blocks"`
	IfVersion  *Generation       `avro:"ifVersion"` // nil = none; 0 = the path must have no content
	Length     int64             `avro:"length"`
	CRC        uint32            `avro:"crc"`
	Extents    []Extent          `avro:"extents"`
	Unused     []Numbers         `avro:"unused"`
	Metadata   map[string]string `avro:"metadata"`
	Time       int64             `avro:"time"` // milliseconds since 1970, the writer's clock, for people only
}
