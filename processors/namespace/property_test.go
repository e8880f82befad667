package namespace

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/schemas"
)

var testPaths = []string{"/v/a", "/v/b", "/v/a/b"}

// drawCommand draws a command that often makes sense to the volume as it is.
func drawCommand(t *rapid.T, m *model, offset int64) Ordered {
	kinds := []schemas.CommandKind{schemas.CommandCreate, schemas.CommandCreate, schemas.CommandExtend, schemas.CommandCommit,
		schemas.CommandCommit, schemas.CommandCommit, schemas.CommandAbort, schemas.CommandDelete, schemas.CommandRename, schemas.CommandTake}
	c := schemas.Command{ID: commandID(int(offset)), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		Path: rapid.SampledFrom(testPaths).Draw(t, "path"), File: fileID(rapid.SampledFrom([]string{"u", "w", "x", "y", "z"}).Draw(t, "file")),
		Generation: schemas.Generation(rapid.Int64Range(0, offset).Draw(t, "generation"))}
	if opens := m.opens[c.Path]; len(opens) > 0 && rapid.IntRange(0, 5).Draw(t, "an open") > 0 && c.Kind != schemas.CommandCreate {
		f := rapid.SampledFrom(opens).Draw(t, "open")
		c.File, c.Generation = f.id, f.generation
	}
	switch c.Kind {
	case schemas.CommandCreate:
		c.Policy, c.Blocks = "RS-3-2-4k", rapid.Int32Range(1, 4).Draw(t, "blocks")
		if rapid.IntRange(0, 2).Draw(t, "fresh") > 0 {
			c.File = fileID(fmt.Sprint("f", offset))
		}
	case schemas.CommandExtend:
		c.Blocks = rapid.SampledFrom([]int32{0, 1, 2, 65}).Draw(t, "blocks")
	case schemas.CommandRename:
		c.To = rapid.SampledFrom([]string{"/v/a", "/v/b", "/v/a/b", "/u/c"}).Draw(t, "to")
	case schemas.CommandCommit:
		for range rapid.IntRange(0, 2).Draw(t, "extents") {
			x := schemas.Extent{Offset: c.Length, Block: c.File.Block(uint32(rapid.IntRange(0, 3).Draw(t, "first"))), Blocks: rapid.Int32Range(1, 2).Draw(t, "run"), Length: 5}
			c.Extents = append(c.Extents, x)
			c.Length += x.Length
		}
	}
	switch rapid.IntRange(0, 8).Draw(t, "precondition") {
	case 0:
		none := schemas.Generation(0)
		c.IfVersion = &none
	case 1:
		have := m.content[c.Path].generation
		c.IfVersion = &have
	case 2:
		other := schemas.Generation(rapid.Int64Range(1, offset).Draw(t, "version"))
		c.IfVersion = &other
	}
	if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
		c.ID = commandID(rapid.IntRange(1, int(offset)).Draw(t, "command"))
	}
	return Ordered{Command: c, Offset: offset, Time: offset}
}

// run folds one command into the volume and the model, and checks what was asked to be deleted.
type run struct {
	volume  Volume
	model   *model
	topic   *topic
	granted map[schemas.BlockID]bool // ever
	deleted map[schemas.BlockID]bool
}

func newRun() *run {
	return &run{model: newModel(), topic: newTopic(), granted: map[schemas.BlockID]bool{}, deleted: map[schemas.BlockID]bool{}}
}

func (r *run) hear(in Ordered) error {
	code, want := "", r.model.hear(in)
	var failed error
	next, err := Fold(r.volume, in, func(e Event) {
		r.topic.put(e)
		if e.Delete != nil {
			if r.deleted[e.Delete.Block] {
				failed = fmt.Errorf("block %s is deleted twice", blockName(e.Delete.Block))
			}
			r.deleted[e.Delete.Block] = true
		} else if e.Record != nil && e.Record.Answer != nil {
			a := e.Record.Answer
			code = a.Code
			for _, n := range expand(a.Granted) {
				r.granted[a.File.Block(n)] = true
				delete(r.deleted, a.File.Block(n)) // the test uses file ids again
			}
		}
	})
	if err != nil || failed != nil {
		return fmt.Errorf("%v %v", err, failed)
	}
	r.volume = next
	if code != want {
		return fmt.Errorf("answer %q, want %q", code, want)
	}
	named := r.model.named()
	for b := range r.granted {
		if named[b] == r.deleted[b] {
			return fmt.Errorf("block %s: named %t, deleted %t", blockName(b), named[b], r.deleted[b])
		}
	}
	return r.model.compare(r.volume)
}

func TestTheVolumeIsWhatADumbModelSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun()
		for offset := range int64(rapid.IntRange(1, 40).Draw(t, "commands")) {
			in := drawCommand(t, r.model, offset+1)
			before := view(r.volume)
			if err := r.hear(in); err != nil {
				t.Fatalf("%v\ncommand %+v\nbefore %q\nafter %q", err, in.Command, before, view(r.volume))
			}
		}
	})
}

func TestAVolumeReadBackIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun()
		time := int64(0)
		for offset := range int64(rapid.IntRange(1, 40).Draw(t, "commands")) {
			in := drawCommand(t, r.model, offset+1)
			time += rapid.SampledFrom([]int64{0, 1, -1, answersKept / 3, answersKept, -answersKept, 3 * answersKept}).Draw(t, "time")
			in.Time = time
			r.model.hear(in)
			next, err := Fold(r.volume, in, r.topic.put)
			if err != nil {
				t.Fatal(err)
			}
			if r.volume = next; rapid.IntRange(0, 3).Draw(t, "crash") > 0 {
				continue
			}
			back := r.topic.restore()
			if got, want := view(back), view(r.volume); !slices.Equal(got, want) {
				t.Fatalf("read back\n%q\nwant\n%q", got, want)
			}
			r.volume = back
		}
	})
}

func TestLaws(t *testing.T) {
	lawtest.Fold(t, lawtest.FoldCase[Volume, Ordered, Event]{
		New:  func() Volume { return Volume{} },
		Fold: Fold,
		View: func(v Volume) any { return view(v) },
		Key: func(e Event) string {
			return string(e.Key)
		},
		History: func(t *rapid.T) []Ordered {
			var history []Ordered
			m := newModel()
			for offset := range int64(rapid.IntRange(1, 20).Draw(t, "commands")) {
				in := drawCommand(t, m, offset+1)
				m.hear(in)
				history = append(history, in)
			}
			return history
		},
	})
}

func TestForkedVolumesDoNotDisturbEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun()
		for offset := range int64(rapid.IntRange(5, 30).Draw(t, "commands")) {
			if err := r.hear(drawCommand(t, r.model, offset+1)); err != nil {
				t.Fatal(err)
			}
		}
		before := view(r.volume)
		var forks []Volume
		var views [][]string
		for offset := range int64(4) {
			fork, err := Fold(r.volume, drawCommand(t, r.model, 50+offset), func(Event) {})
			if err != nil {
				t.Fatal(err)
			}
			forks, views = append(forks, fork), append(views, view(fork))
		}
		for i, fork := range append(forks, r.volume) {
			if after := view(fork); !slices.Equal(append(views, before)[i], after) {
				t.Fatalf("volume %d was changed from %q to %q", i, append(views, before)[i], after)
			}
		}
	})
}

// Three opens leave room behind them in memory, as append makes it: two volumes that go on from there must not share it.
func TestOpensOfForksLieApart(t *testing.T) {
	s := &script{t: t, topic: newTopic()}
	for _, line := range []string{"create /v/a file=u", "create /v/a file=w", "create /v/a file=x"} {
		s.run(line)
	}
	from := s.volume
	s.run("create /v/a file=y")
	one, before := s.volume, view(s.volume)
	s.volume = from
	s.run("create /v/a file=z")
	if after := view(one); !slices.Equal(before, after) {
		t.Errorf("one became %q, was %q", after, before)
	}
}
