package rowfile

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Span is the range of offsets that a complete file holds.
type Span struct {
	Topic       string
	Partition   int32
	First, Last int64
}

// Name gives the file's final name.
func (s Span) Name(ending string) string {
	return fmt.Sprintf("%s-%05d-%020d-%020d.%s", s.Topic, s.Partition, s.First, s.Last, ending)
}

// ParseName reads a final name back; false for names that are none.
func ParseName(name string) (Span, bool) {
	stem, ending, ok := strings.Cut(name, ".")
	for strings.Contains(ending, ".") { // topics may have dots
		var more string
		more, ending, _ = strings.Cut(ending, ".")
		stem += "." + more
	}
	words := strings.Split(stem, "-")
	n := len(words)
	if !ok || n < 4 || endings[ending] == "" {
		return Span{}, false
	}
	p, errP := strconv.ParseInt(words[n-3], 10, 32)
	first, errF := strconv.ParseInt(words[n-2], 10, 64)
	last, errL := strconv.ParseInt(words[n-1], 10, 64)
	s := Span{Topic: strings.Join(words[:n-3], "-"), Partition: int32(p), First: first, Last: last}
	return s, errP == nil && errF == nil && errL == nil && s.Name(ending) == name
}

// endings of the complete files of each format.
var endings = map[string]Format{"avro": Avro, "json": JSON, "csv": CSV}

// prefix begins the names of what is not a complete file.
func prefix(topic string, partition int32) string { return fmt.Sprintf(".%s-%05d", topic, partition) }

// partName is the temporary name of the file that begins at an offset.
func partName(topic string, partition int32, first int64) string {
	return fmt.Sprintf("%s-%020d.part", prefix(topic, partition), first)
}

// next gives the offset after the highest last one of a partition's complete files, 0 when there are none, and the names of half-written ones.
func next(dir, topic string, partition int32) (at int64, halves []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, nil, fmt.Errorf("list directory: %w", err)
	}
	for _, e := range entries {
		if s, ok := ParseName(e.Name()); ok && s.Topic == topic && s.Partition == partition {
			at = max(at, s.Last+1)
		}
		if strings.HasPrefix(e.Name(), prefix(topic, partition)+"-") && strings.HasSuffix(e.Name(), ".part") {
			halves = append(halves, e.Name())
		}
	}
	return at, halves, nil
}
