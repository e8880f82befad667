package namespace

import (
	"encoding/binary"
	"math"
	"strings"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"stripeline/schemas"
)

// answersKept is how many milliseconds older than the newest answer an answer may be.
const answersKept = 7 * 24 * 60 * 60 * 1000

// Volume is the names of one volume: a value that is never changed, each command makes another one. The zero Volume has
// no names. It can be read from many goroutines.
type Volume struct {
	entries *iradix.Tree[schemas.Entry]     // by path
	files   *iradix.Tree[string]            // by file id: the path whose content or open it is
	answers *iradix.Tree[schemas.Answer]    // by command id
	ages    *iradix.Tree[schemas.CommandID] // by time and command id: answers, oldest first
}

// Entry gives a path's entry; it is not to be changed.
func (s Volume) Entry(path string) (schemas.Entry, bool) { return orEmpty(s.entries).Get([]byte(path)) }

// Answer gives the answer to a command, if it has one that is not too old; it is not to be changed.
func (s Volume) Answer(id schemas.CommandID) (schemas.Answer, bool) {
	return orEmpty(s.answers).Get(id[:])
}

// entry gives a path's entry, or one without content and opens.
func (s Volume) entry(path string) schemas.Entry {
	e, ok := s.Entry(path)
	if !ok {
		e.Path = strings.Clone(path)
	}
	return e
}

// path gives the path whose content or open has the file id.
func (s Volume) path(file schemas.FileID) (string, bool) { return orEmpty(s.files).Get(file[:]) }

// withEntry makes the entry its path's.
func (s Volume) withEntry(e schemas.Entry) Volume {
	s = s.withoutFiles(e.Path)
	files := orEmpty(s.files).Txn()
	for _, id := range fileIDs(&e) {
		files.Insert(id[:], e.Path)
	}
	s.files = files.Commit()
	s.entries, _, _ = orEmpty(s.entries).Insert([]byte(e.Path), e)
	return s
}

// withoutEntry takes a path away.
func (s Volume) withoutEntry(path string) Volume {
	s = s.withoutFiles(path)
	s.entries, _, _ = orEmpty(s.entries).Delete([]byte(path))
	return s
}

// withoutFiles forgets the file ids of a path, but not those that have moved to another one.
func (s Volume) withoutFiles(path string) Volume {
	e, ok := s.Entry(path)
	if !ok {
		return s
	}
	files := orEmpty(s.files).Txn()
	for _, id := range fileIDs(&e) {
		if at, _ := files.Get(id[:]); at == path {
			files.Delete(id[:])
		}
	}
	s.files = files.Commit()
	return s
}

func fileIDs(e *schemas.Entry) []schemas.FileID {
	var ids []schemas.FileID
	if e.Committed() {
		ids = append(ids, e.File)
	}
	for i := range e.Opens {
		ids = append(ids, e.Opens[i].File)
	}
	return ids
}

// stamp gives the time of an answer given now: that of its command's record, but not so old that it would go at once.
func (s Volume) stamp(time int64) int64 { return max(time, s.horizon()) }

// horizon is the time before which answers are too old: it follows from the answers alone, so that a volume read back
// has the same.
func (s Volume) horizon() int64 {
	key, _, ok := orEmpty(s.ages).Root().Maximum()
	if !ok {
		return math.MinInt64
	}
	newest := ageTime(key)
	return max(newest, math.MinInt64+answersKept) - answersKept
}

// withAnswer enters an answer and gives the commands whose answers have become too old, which it drops.
func (s Volume) withAnswer(a schemas.Answer) (Volume, []schemas.CommandID) {
	s = s.withoutAnswer(a.Command)
	s.answers, _, _ = orEmpty(s.answers).Insert(a.Command[:], a)
	s.ages, _, _ = orEmpty(s.ages).Insert(ageKey(&a), a.Command)
	var expired []schemas.CommandID
	horizon := s.horizon()
	for it := s.ages.Root().Iterator(); ; {
		key, id, ok := it.Next()
		if !ok || ageTime(key) >= horizon {
			break
		}
		expired = append(expired, id)
	}
	for _, id := range expired {
		s = s.withoutAnswer(id)
	}
	return s, expired
}

func (s Volume) withoutAnswer(id schemas.CommandID) Volume {
	a, ok := s.Answer(id)
	if !ok {
		return s
	}
	s.answers, _, _ = s.answers.Delete(id[:])
	s.ages, _, _ = s.ages.Delete(ageKey(&a))
	return s
}

// ageKey orders answers by time, then command id.
func ageKey(a *schemas.Answer) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(a.Time)^1<<63), a.Command[:]...)
}

func ageTime(key []byte) int64 { return int64(binary.BigEndian.Uint64(key) ^ 1<<63) }

// orEmpty makes the zero Volume one without names.
func orEmpty[T any](t *iradix.Tree[T]) *iradix.Tree[T] {
	if t == nil {
		return iradix.New[T]()
	}
	return t
}
