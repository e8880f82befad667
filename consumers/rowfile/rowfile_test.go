package rowfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"stripeline/consumers/durable"
	"stripeline/consumers/table"
	"stripeline/schemas"
)

func TestNamesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Span{
			Topic:     rapid.StringMatching(`[a-zA-Z0-9._-]{1,20}`).Draw(t, "topic"),
			Partition: rapid.Int32Range(0, 1<<30).Draw(t, "partition"),
			First:     rapid.Int64Range(0, 1<<62).Draw(t, "first"), Last: rapid.Int64Range(0, 1<<62).Draw(t, "last"),
		}
		got, ok := ParseName(s.Name(rapid.SampledFrom([]string{"avro", "json", "csv"}).Draw(t, "ending")))
		if !ok || got != s {
			t.Fatalf("%+v became %+v %t", s, got, ok)
		}
	})
	for _, name := range []string{"", "a.avro", ".t-00000-00000000000000000001.part", "t-0-1-2.avro", "t-00000-00000000000000000001-00000000000000000002.txt"} {
		if s, ok := ParseName(name); ok {
			t.Errorf("%q became %+v", name, s)
		}
	}
}

const schema = `{"type":"record","name":"row","fields":[{"name":"id","type":"long"}]}`

func row(offset int64, id int) Record {
	return Record{Record: table.Record{Offset: offset, Value: []byte{0, 0, 0, 0, 1, 2}, Payload: []byte{2}}, Schema: Schema{ID: id, Text: schema}}
}

func open(t *testing.T, dir string, from int64) *Sink {
	t.Helper()
	s, err := Open(Options{Dir: dir, Topic: "t", Format: Avro, From: from})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.lock.Release() })
	return s
}

func TestAPartitionHasOneWriterWhoGoesOnBehindTheFiles(t *testing.T) {
	dir, files := t.TempDir(), []File{}
	emit := func(f File) { files = append(files, f) }
	s := open(t, dir, 10)
	if _, err := Open(Options{Dir: dir, Topic: "t", Format: Avro}); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("a second writer: %v", err)
	}
	for i, id := range []int{1, 1, 2} { // another schema completes the file
		if err := s.Put(t.Context(), row(int64(10+i), id), emit); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) != 1 || files[0].First != 10 || files[0].Last != 11 || files[0].Rows != 2 {
		t.Fatalf("%+v", files)
	}
	_ = s.lock.Release() // killed: the second file is half-written
	s = open(t, dir, 5)
	if halves, _ := filepath.Glob(filepath.Join(dir, ".t-*.part")); s.Next() != 12 || len(halves) != 0 {
		t.Errorf("goes on at %d, %v are left", s.Next(), halves)
	}
	if err := s.Put(t.Context(), row(11, 1), emit); err != nil || s.Busy() {
		t.Errorf("a record that is in a file was put again: %v", err)
	}
	plain := row(12, 0)
	if _, ok := schemas.AsReject(s.Put(t.Context(), plain, emit)); !ok {
		t.Error("a record without a schema was put")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestFormulasInSeparatedValuesAreEscapedOnRequest(t *testing.T) {
	for _, c := range []struct {
		escape bool
		want   string
	}{{true, "'=1+1"}, {false, "=1+1"}} {
		dir := t.TempDir()
		s, err := Open(Options{Dir: dir, Topic: "t", Format: CSV, Print: table.Options{EscapeFormulas: c.escape}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), Record{Record: table.Record{Value: []byte("=1+1")}}, nil); err != nil {
			t.Fatal(err)
		}
		var done File
		if err := s.Flush(t.Context(), func(f File) { done = f }); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(done.Path)
		if err != nil || string(text) != "value\n"+c.want+"\n" {
			t.Errorf("escape %t: %q %v", c.escape, text, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADirectoryHasOneOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	me := Owner{Group: "g", Topic: "t", ID: "1"}
	for _, c := range []struct {
		owner Owner
		want  error
	}{{me, nil}, {me, nil}, {Owner{"h", "t", "1"}, ErrOtherOwner}, {Owner{"g", "u", "1"}, ErrOtherOwner}, {Owner{"g", "t", "2"}, ErrOtherOwner}} {
		if err := Claim(&durable.Disk{}, dir, c.owner); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.owner, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, markerName), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Claim(&durable.Disk{}, dir, me); !errors.Is(err, ErrOtherOwner) {
		t.Errorf("a file of somebody else: %v", err)
	}
}
