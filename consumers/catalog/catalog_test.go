package catalog

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"stripeline/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func entryOf(path string, version schemas.Generation) *schemas.FileRecord {
	return &schemas.FileRecord{Entry: &schemas.Entry{Path: path, Version: version}}
}

func (f *Files) putEntry(path string, version schemas.Generation) {
	f.Put([]byte(path), entryOf(path, version))
}

func TestFilesFollowTheLog(t *testing.T) {
	f := NewFiles()
	want := func(path string, version schemas.Generation, found bool) {
		t.Helper()
		if e, ok := f.Lookup(path); ok != found || e.Version != version {
			t.Errorf("lookup %s: version %s, %t; want %s, %t", path, e.Version, ok, version, found)
		}
	}
	old, young := schemas.NewGeneration(1, 900), schemas.NewGeneration(2, 3)
	want("/a", 0, false)
	f.putEntry("/a", old)
	want("/a", old, true)
	f.putEntry("/a", young)
	f.putEntry("/a", old) // from before a rebuild
	want("/a", young, true)
	f.putEntry("/a", young-1) // log order decides within an epoch
	want("/a", young-1, true)
	f.putEntry("/a", 0) // only opens are left
	want("/a", 0, true)
	f.Put([]byte("/a"), nil)
	want("/a", 0, false)
	f.Put(schemas.PositionKey("namespace"), &schemas.FileRecord{Position: &schemas.Position{Link: "namespace"}})
	f.Put(schemas.PositionKey("namespace"), nil)
	f.Put([]byte("command/xyz"), nil)
}

func TestAnswersComeAndGo(t *testing.T) {
	f := NewFiles()
	id := schemas.NewCommandID()
	f.Put(schemas.AnswerKey(id), &schemas.FileRecord{Answer: &schemas.Answer{Command: id, Code: schemas.AnswerOK}})
	if a, ok := f.Answer(id); !ok || a.Code != schemas.AnswerOK {
		t.Errorf("answer: %+v, %t", a, ok)
	}
	if _, ok := f.Answer(schemas.NewCommandID()); ok {
		t.Error("an answer that nobody gave")
	}
	f.Put(schemas.AnswerKey(id), nil)
	if _, ok := f.Answer(id); ok {
		t.Error("the answer outlived its tombstone")
	}
}

func TestNothingOfARecordIsKept(t *testing.T) {
	f, v := NewFiles(), NewBlocks()
	file := &schemas.FileRecord{Entry: &schemas.Entry{Path: "/a", Version: 1, Extents: []schemas.Extent{{Length: 1}},
		Metadata: map[string]string{"k": "v"}, Opens: []schemas.Open{{Next: 1, Granted: []schemas.Numbers{{Count: 1}}}}}}
	id := schemas.NewCommandID()
	answer := &schemas.FileRecord{Answer: &schemas.Answer{Command: id, Granted: []schemas.Numbers{{Count: 1}}}}
	block := &schemas.BlockRecord{Block: &schemas.Block{Runs: []schemas.Run{{Count: 1}}, CRCs: []byte{1}, Missing: []int32{1},
		Shards: []schemas.Shard{{Index: 1, Ranges: []schemas.Range{{Last: 1}}}}}}
	f.Put([]byte("/a"), file)
	f.Put(schemas.AnswerKey(id), answer)
	v.Put(nil, block)
	file.Entry.Extents[0].Length, file.Entry.Metadata["k"] = 2, "x"
	file.Entry.Opens[0].Granted[0].Count, file.Entry.Opens[0].Next = 2, 2
	answer.Answer.Granted[0].Count = 2
	b := block.Block
	b.Runs[0].Count, b.CRCs[0], b.Missing[0], b.Shards[0].Ranges[0].Last, b.Shards[0].Index = 2, 2, 2, 2, 2
	e, _ := f.Lookup("/a")
	a, _ := f.Answer(id)
	held, _ := v.Lookup(b.ID)
	if e.Extents[0].Length != 1 || e.Metadata["k"] != "v" || e.Opens[0].Next != 1 || e.Opens[0].Granted[0].Count != 1 || a.Granted[0].Count != 1 {
		t.Errorf("kept: %+v %+v", e, a)
	}
	if held.Runs[0].Count != 1 || held.CRCs[0] != 1 || held.Missing[0] != 1 || held.Shards[0].Index != 1 || held.Shards[0].Ranges[0].Last != 1 {
		t.Errorf("kept: %+v", held)
	}
}

func names(f *Files, prefix, delimiter string) []string {
	var all []string
	for item := range f.List(prefix, delimiter) {
		if (item.Entry == nil) == (delimiter != "" && strings.HasSuffix(item.Path, delimiter)) {
			all = append(all, item.Path)
		}
	}
	return all
}

func TestList(t *testing.T) {
	f := NewFiles()
	for _, path := range []string{"/a", "/b/c/d", "/b/c/e", "/b/f", "/b", "/bc/g", "/b/é/h"} {
		f.putEntry(path, 1)
	}
	f.putEntry("/open/only", 0)
	for _, c := range []struct {
		prefix, delimiter string
		want              []string
	}{
		{"", "", []string{"/a", "/b", "/b/c/d", "/b/c/e", "/b/f", "/b/é/h", "/bc/g"}},
		{"/", "/", []string{"/a", "/b", "/b/", "/bc/"}},
		{"/b", "/", []string{"/b", "/b/", "/bc/"}},
		{"/b/", "/", []string{"/b/c/", "/b/f", "/b/é/"}},
		{"/b/c", "/", []string{"/b/c/"}},
		{"/b/c/", "/", []string{"/b/c/d", "/b/c/e"}},
		{"/b/c/d", "", []string{"/b/c/d"}},
		{"/x", "/", nil},
	} {
		if got := names(f, c.prefix, c.delimiter); !slices.Equal(got, c.want) {
			t.Errorf("list %q by %q: %q, want %q", c.prefix, c.delimiter, got, c.want)
		}
	}
	for item := range f.List("", "") {
		f.Put([]byte(item.Path), nil) // a listing is of the moment when it was asked for
		if item.Path == "/b" {
			break
		}
	}
	if got := names(f, "", "")[0]; got != "/b/c/d" {
		t.Errorf("first path left: %s", got)
	}
}

func TestListIsWhatADumbListSays(t *testing.T) {
	path := rapid.StringMatching(`(/[ab]{1,2}){1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		f := NewFiles()
		have := map[string]bool{}
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			p := path.Draw(t, "path")
			if have[p] = rapid.IntRange(0, 3).Draw(t, "kept") > 0; have[p] {
				f.putEntry(p, 1)
			} else {
				f.Put([]byte(p), nil)
			}
		}
		prefix, delimiter := path.Draw(t, "prefix"), rapid.SampledFrom([]string{"", "/", "b"}).Draw(t, "delimiter")
		prefix = prefix[:rapid.IntRange(0, len(prefix)).Draw(t, "length")]
		var want []string
		for p, there := range have {
			if !there || !strings.HasPrefix(p, prefix) {
				continue
			}
			if at := strings.Index(p[len(prefix):], delimiter); delimiter != "" && at >= 0 {
				p = p[:len(prefix)+at+len(delimiter)]
			}
			want = append(want, p)
		}
		slices.Sort(want)
		var got []string
		for item := range f.List(prefix, delimiter) {
			got = append(got, item.Path)
		}
		if want = slices.Compact(want); !slices.Equal(got, want) {
			t.Fatalf("list %q by %q: %q, want %q", prefix, delimiter, got, want)
		}
	})
}

func blockOf(id schemas.BlockID, change func(*schemas.Block)) ([]byte, *schemas.BlockRecord) {
	b := schemas.Block{ID: id, State: schemas.BlockOpen}
	change(&b)
	return id[:], &schemas.BlockRecord{Block: &b}
}
