package namespace

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"

	"stripeline/schemas"
)

const answerPrefix = "command/"

// VolumeKey gives the key of the volume that a record of the files topic belongs to, as on the commands topic. It is
// false for positions, and for the tombstone of an answer, which says no volume: such a record may be left out, as the
// answer it takes away is too old to come back.
func VolumeKey(record schemas.FileRecord, key []byte) ([]byte, bool) {
	switch {
	case record.Entry != nil:
		return schemas.VolumeKey(record.Entry.Path), true
	case record.Answer != nil:
		return schemas.VolumeKey(record.Answer.Path), true
	case record.Position == nil && bytes.HasPrefix(key, []byte("/")):
		return schemas.VolumeKey(string(key)), true
	}
	return nil, false
}

// Restore enters one record of the files topic, in the order of its partition; the zero record is a tombstone. Reading
// all that Fold emitted, compacted or not, gives the volume that Fold gave. Nothing of the record is kept.
func Restore(s Volume, record schemas.FileRecord, key []byte) Volume {
	switch {
	case record.Entry != nil:
		return s.withEntry(cloneEntry(record.Entry))
	case record.Answer != nil:
		s, _ = s.withAnswer(cloneAnswer(record.Answer))
		return s
	case record.Position != nil:
		return s
	case bytes.HasPrefix(key, []byte("/")):
		return s.withoutEntry(string(key))
	}
	var id schemas.CommandID
	digits, ok := bytes.CutPrefix(key, []byte(answerPrefix))
	if !ok || len(digits) != hex.EncodedLen(len(id)) {
		return s
	}
	if _, err := hex.Decode(id[:], digits); err != nil {
		return s
	}
	return s.withoutAnswer(id)
}

func cloneEntry(e *schemas.Entry) schemas.Entry {
	c := *e
	c.Path, c.Policy = strings.Clone(e.Path), strings.Clone(e.Policy)
	c.Extents, c.Opens, c.Metadata = slices.Clone(e.Extents), slices.Clone(e.Opens), cloneMetadata(e.Metadata)
	for i := range c.Opens {
		o := &c.Opens[i]
		o.Policy, o.Granted = strings.Clone(o.Policy), slices.Clone(o.Granted)
	}
	return c
}

func cloneAnswer(a *schemas.Answer) schemas.Answer {
	c := *a
	c.Path, c.Code, c.Message = strings.Clone(a.Path), strings.Clone(a.Code), strings.Clone(a.Message)
	c.Granted = slices.Clone(a.Granted)
	return c
}
