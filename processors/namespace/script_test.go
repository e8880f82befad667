package namespace

import (
	"encoding/binary"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stripeline/schemas"
)

var rewrite = flag.Bool("rewrite", false, "write what the folds say into testdata")

// Transcripts are paragraphs: a line with a command, a line of dashes, what the fold did. A command is its kind, a path,
// for RENAME a second one, and fields; the log's offsets count from 1:
//
//	file=X gen=G policy=P (RS-3-2-4k) blocks=N if=VERSION length=N crc=N unused=FIRST+COUNT,... meta=KEY:VALUE
//	extents=OFFSET:BLOCK+COUNT@BLOCKOFFSET:LENGTH,...   a block is file and number, as x3; +COUNT and @... may be left out
//	id=N         command id, else the offset
//	days=D epoch=E   the record's time and the catalog's epoch from here on
//
// "restore" reads the volume back from what was emitted.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := (&script{t: t, topic: newTopic()}).replay(string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("the fold says otherwise (-rewrite accepts it):\n%s", got)
			}
		})
	}
}

type script struct {
	t      *testing.T
	volume Volume
	topic  *topic
	offset int64
	time   int64
	epoch  uint16
}

func (s *script) replay(text string) string {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		before, _, _ := strings.Cut(paragraph, "\n----")
		fmt.Fprintf(&out, "%s\n", before)
		lines := strings.Split(before, "\n")
		if line := lines[len(lines)-1]; !strings.HasPrefix(line, "#") {
			fmt.Fprintf(&out, "----\n%s\n", s.run(line))
		}
		out.WriteString("\n")
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func (s *script) run(line string) string {
	if line == "restore" {
		s.volume = s.topic.restore()
		return strings.Join(view(s.volume), "\n")
	}
	s.offset++
	var said []string
	next, err := Fold(s.volume, s.parse(line), func(e Event) {
		s.topic.put(e)
		said = append(said, describe(e))
	})
	s.volume = next
	if err != nil {
		return err.Error()
	}
	if len(said) == 0 {
		return "nothing"
	}
	return strings.Join(said, "\n")
}

func fileID(name string) (id schemas.FileID) { copy(id[:], name); return id }

func commandID(n int) (id schemas.CommandID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func (s *script) parse(line string) Ordered {
	words := strings.Fields(line)
	c := schemas.Command{ID: commandID(int(s.offset)), Kind: schemas.CommandKind(strings.ToUpper(words[0])), Path: words[1]}
	if c.Kind == schemas.CommandCreate {
		c.Policy, c.Blocks = "RS-3-2-4k", 1
	}
	for _, word := range words[2:] {
		key, value, field := strings.Cut(word, "=")
		switch {
		case !field:
			c.To = word
		case key == "file":
			c.File = fileID(value)
		case key == "policy":
			c.Policy = value
		case key == "meta":
			name, content, _ := strings.Cut(value, ":")
			c.Metadata = map[string]string{name: content}
		case key == "extents":
			for part := range strings.SplitSeq(value, ",") {
				c.Extents = append(c.Extents, s.extent(part))
			}
		case key == "unused":
			for part := range strings.SplitSeq(value, ",") {
				first, count, _ := strings.Cut(part, "+")
				c.Unused = append(c.Unused, schemas.Numbers{First: s.number(first), Count: int32(s.number(count))})
			}
		default:
			s.numberField(&c, key, s.number(value))
		}
	}
	return Ordered{Command: c, Offset: s.offset, Epoch: s.epoch, Time: s.time}
}

func (s *script) numberField(c *schemas.Command, key string, n int64) {
	switch key {
	case "gen":
		c.Generation = schemas.Generation(n)
	case "blocks":
		c.Blocks = int32(n)
	case "if":
		version := schemas.Generation(n)
		c.IfVersion = &version
	case "length":
		c.Length = n
	case "crc":
		c.CRC = uint32(n)
	case "id":
		c.ID = commandID(int(n))
	case "days":
		s.time = n * 24 * 3600 * 1000
	case "epoch":
		s.epoch = uint16(n)
	default:
		s.t.Fatalf("unknown field %q", key)
	}
}

func (s *script) extent(text string) schemas.Extent {
	parts := strings.Split(text, ":")
	block, count, many := strings.Cut(parts[1], "+")
	if !many {
		count = "1"
	}
	count, offset, inside := strings.Cut(count, "@")
	if at, o, ok := strings.Cut(block, "@"); ok {
		block, offset, inside = at, o, true
	}
	if !inside {
		offset = "0"
	}
	return schemas.Extent{Offset: s.number(parts[0]), Block: fileID(block[:1]).Block(uint32(s.number(block[1:]))), Blocks: int32(s.number(count)),
		BlockOffset: s.number(offset), Length: s.number(parts[2])}
}

func (s *script) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// topic is a compacted topic with what was emitted, in order; answers' tombstones are lost, as a reader may lose them.
type topic struct {
	keys    []string // in the order in which the latest record of each was written
	records map[string]*schemas.FileRecord
}

func newTopic() *topic { return &topic{records: map[string]*schemas.FileRecord{}} }

func (k *topic) put(e Event) {
	if e.Delete != nil {
		return
	}
	key := string(e.Key)
	k.keys = append(slices.DeleteFunc(k.keys, func(have string) bool { return have == key }), key)
	k.records[key] = e.Record
}

func (k *topic) restore() Volume {
	var v Volume
	for _, key := range k.keys {
		record := schemas.FileRecord{}
		if k.records[key] != nil {
			record = *k.records[key]
		}
		if _, ok := VolumeKey(record, []byte(key)); ok {
			v = Restore(v, record, []byte(key))
		}
	}
	return v
}

// view lists everything in a volume, index and ages too.
func view(v Volume) []string {
	var all []string
	for it := orEmpty(v.entries).Root().Iterator(); ; {
		_, e, ok := it.Next()
		if !ok {
			break
		}
		all = append(all, describe(Event{Key: []byte(e.Path), Record: &schemas.FileRecord{Entry: &e}}))
	}
	orEmpty(v.files).Root().Walk(func(id []byte, path string) bool {
		all = append(all, fmt.Sprintf("file %s at %s", strings.TrimRight(string(id), "\x00"), path))
		return false
	})
	orEmpty(v.ages).Root().Walk(func(_ []byte, id schemas.CommandID) bool {
		a, _ := v.Answer(id)
		all = append(all, fmt.Sprintf("%d ", a.Time)+describe(Event{Record: &schemas.FileRecord{Answer: &a}}))
		return false
	})
	return append(all, fmt.Sprint(orEmpty(v.answers).Len(), " answers"))
}

func describe(e Event) string {
	switch {
	case e.Delete != nil:
		return fmt.Sprintf("delete block %s of %s, generation %s", blockName(e.Delete.Block), e.Delete.Policy, e.Delete.Generation)
	case e.Record == nil:
		return "tombstone " + string(e.Key)
	case e.Record.Answer != nil:
		return describeAnswer(e.Record.Answer)
	}
	return describeEntry(e.Record.Entry)
}

func describeAnswer(a *schemas.Answer) string {
	text := fmt.Sprintf("answer %d %s: %s", binary.BigEndian.Uint64(a.Command[8:]), a.Path, a.Code)
	if a.Code != schemas.AnswerOK {
		return text + ": " + a.Message
	}
	return text + fmt.Sprintf(" file %s generation %s granted %v", strings.TrimRight(string(a.File[:]), "\x00"), a.Generation, a.Granted)
}

func describeEntry(e *schemas.Entry) string {
	var out strings.Builder
	fmt.Fprintf(&out, "entry %s", e.Path)
	if e.Committed() {
		fmt.Fprintf(&out, " version %s file %s %s length %d crc %d next %d", e.Version, strings.TrimRight(string(e.File[:]), "\x00"), e.Policy, e.Length, e.CRC, e.Next)
		for _, key := range slices.Sorted(maps.Keys(e.Metadata)) {
			fmt.Fprintf(&out, " %s:%s", key, e.Metadata[key])
		}
		for _, x := range e.Extents {
			fmt.Fprintf(&out, "\n  %d: %s+%d@%d %d bytes", x.Offset, blockName(x.Block), x.Blocks, x.BlockOffset, x.Length)
		}
	}
	for _, o := range e.Opens {
		fmt.Fprintf(&out, "\n  open %s generation %s %s granted %v next %d", strings.TrimRight(string(o.File[:]), "\x00"), o.Generation, o.Policy, o.Granted, o.Next)
	}
	return out.String()
}

func blockName(b schemas.BlockID) string {
	file := b.File()
	return fmt.Sprint(strings.TrimRight(string(file[:]), "\x00"), b.Number())
}
