package schemas

// Open is a write in progress. It stands beside the path's committed content.
type Open struct {
	File       FileID     `avro:"file"`
	Generation Generation `avro:"generation"`
	Policy     string     `avro:"policy"`
	Granted    []Numbers  `avro:"granted"` // block numbers of this generation, sorted
	Next       int64      `avro:"next"`    // the next block number of the file id
	Time       int64      `avro:"time"`    // milliseconds since 1970, for people
}

// Entry is the catalog record of a path: its committed content and its opens. Its Avro form is in avsc/file.avsc.
// Version 0 means that nothing was committed yet.
type Entry struct {
	Path     string            `avro:"path"`
	Version  Generation        `avro:"version"`
	File     FileID            `avro:"file"`
	Policy   string            `avro:"policy"`
	Length   int64             `avro:"length"`
	CRC      uint32            `avro:"crc"`
	Extents  []Extent          `avro:"extents"` // in order of offset, covering [0, Length)
	Metadata map[string]string `avro:"metadata"`
	Time     int64             `avro:"time"` // milliseconds since 1970, the writer's clock
	Next     int64             `avro:"next"` // the next block number of File
	Opens    []Open            `avro:"opens"`
}

// Committed says whether the path has content.
func (e *Entry) Committed() bool { return e.Version != 0 }

// The codes of answers.
const (
	AnswerOK      = "ok"
	AnswerExists  = "exists"  // the precondition wants no content, and there is some
	AnswerMissing = "missing" // there is no such path or open
	AnswerVersion = "version" // the precondition names another version
	AnswerFenced  = "fenced"  // the generation is older than the open's: another writer has taken over
	AnswerVolume  = "volume"  // a rename across volumes
	AnswerPath    = "path"    // not a path
	AnswerPolicy  = "policy"  // not a policy
	AnswerCommand = "command" // the command is not whole, or not yet known
)

// Answer is what became of a command. Its Avro form is in avsc/file.avsc.
type Answer struct {
	Command    CommandID  `avro:"command"`
	Path       string     `avro:"path"`
	Code       string     `avro:"code"`
	Message    string     `avro:"message"`
	Generation Generation `avro:"generation"` // CREATE, TAKE: the open's; COMMIT, DELETE, RENAME: the new version
	File       FileID     `avro:"file"`
	Granted    []Numbers  `avro:"granted"`
	Time       int64      `avro:"time"` // milliseconds since 1970: the command's record timestamp
}

// AnswerKey is the key of a command's answer on the files topic.
func AnswerKey(id CommandID) []byte { return []byte("command/" + id.String()) }

// FileRecord is the value of the files topic; exactly one member is set.
type FileRecord struct {
	Entry    *Entry    `avro:"entry"`
	Answer   *Answer   `avro:"answer"`
	Position *Position `avro:"position"`
}
