package namespace

import (
	"slices"
	"testing"

	"stripeline/schemas"
)

// The codec's strings and byte slices are pieces of the record that they were read from.
func TestNothingOfARecordIsKept(t *testing.T) {
	codecs := schemas.NewCodecs(func(string) uint32 { return 1 })
	s := &script{t: t, topic: newTopic()}
	var v, back Volume
	for i, line := range []string{"create /v/a file=x", "commit /v/a file=x gen=1 length=10 extents=0:x0:10 meta=key:value", "create /v/a file=y",
		"rename /v/a /v/b", "rename /v/none /v/c", "create /v/c policy=nothing"} {
		s.offset = int64(i + 1)
		in := s.parse(line)
		value, err := codecs.Commands.Append(nil, &in.Command)
		if err != nil {
			t.Fatal(err)
		}
		if in.Command, err = codecs.Commands.Decode(value); err != nil {
			t.Fatal(err)
		}
		var emitted []Event
		if v, err = Fold(v, in, func(e Event) { emitted = append(emitted, e) }); err != nil {
			t.Fatal(err)
		}
		before := view(v)
		clear(value)
		if after := view(v); !slices.Equal(after, before) {
			t.Errorf("%s: the volume changed with the command's bytes to\n%q\nfrom\n%q", line, after, before)
		}
		for _, e := range emitted {
			back = readBack(t, codecs, back, e)
		}
		if got := view(back); !slices.Equal(got, before) {
			t.Errorf("%s: read back\n%q\nwant\n%q", line, got, before)
		}
	}
}

// readBack takes an event through its Avro form into a volume, and destroys the bytes.
func readBack(t *testing.T, codecs *schemas.Codecs, v Volume, e Event) Volume {
	if e.Delete != nil {
		return v
	}
	if e.Record == nil {
		return Restore(v, schemas.FileRecord{}, e.Key)
	}
	value, err := codecs.Files.Append(nil, e.Record)
	if err != nil {
		t.Fatal(err)
	}
	record, err := codecs.Files.Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	v = Restore(v, record, e.Key)
	clear(value)
	return v
}

func TestTombstonesAndPositionsAreReadBack(t *testing.T) {
	s := &script{t: t, topic: newTopic()}
	for _, line := range []string{"create /v/a file=x", "create /v/b file=y"} {
		s.run(line)
	}
	v := Restore(s.volume, schemas.FileRecord{}, schemas.AnswerKey(commandID(1)))
	v = Restore(v, schemas.FileRecord{}, []byte("/v/b"))
	v = Restore(v, schemas.FileRecord{Position: &schemas.Position{}}, schemas.PositionKey("namespace"))
	for _, key := range []string{"", "command/", "command/zz", "position/namespace", "command/000000000000000000000000000000020000"} {
		v = Restore(v, schemas.FileRecord{}, []byte(key))
	}
	_, first := v.Answer(commandID(1))
	_, second := v.Answer(commandID(2))
	_, a := v.Entry("/v/a")
	_, b := v.Entry("/v/b")
	if first || !second || !a || b {
		t.Errorf("answers %t %t, entries %t %t", first, second, a, b)
	}
	if key, ok := VolumeKey(schemas.FileRecord{}, []byte("/v/b")); !ok || string(key) != "/v" {
		t.Errorf("key %q, %t", key, ok)
	}
	if _, ok := VolumeKey(schemas.FileRecord{}, schemas.AnswerKey(commandID(1))); ok {
		t.Error("the tombstone of an answer names no volume")
	}
}
