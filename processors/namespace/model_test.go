package namespace

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stripeline/processors/lawtest"
	"stripeline/schemas"
)

// model is a volume kept as plain maps and sets of single blocks. It knows the commands' outcome, not their messages.
type model struct {
	content  map[string]modelFile
	opens    map[string][]modelFile
	answered map[schemas.CommandID]bool
}

type modelFile struct {
	id         schemas.FileID
	generation schemas.Generation // of an open; of content: its version
	blocks     map[schemas.BlockID]bool
	length     int64
}

func newModel() *model {
	return &model{map[string]modelFile{}, map[string][]modelFile{}, map[schemas.CommandID]bool{}}
}

// hear executes a command and gives its answer's code, "" for none.
func (m *model) hear(in Ordered) string {
	c := &in.Command
	if m.answered[c.ID] {
		return ""
	}
	m.answered[c.ID] = true
	now := schemas.NewGeneration(in.Epoch, in.Offset)
	at := slices.IndexFunc(m.opens[c.Path], func(f modelFile) bool { return f.id == c.File })
	switch c.Kind {
	case schemas.CommandCreate:
		return m.create(c, now)
	case schemas.CommandDelete:
		return m.delete(c)
	case schemas.CommandRename:
		return m.rename(c, now)
	case schemas.CommandTake:
		return schemas.AnswerCommand
	}
	if at < 0 {
		return schemas.AnswerMissing
	}
	open := m.opens[c.Path][at]
	if c.Generation < open.generation {
		return schemas.AnswerFenced
	} else if c.Generation > open.generation {
		return schemas.AnswerCommand
	}
	switch c.Kind {
	case schemas.CommandExtend:
		if c.Blocks < 1 || c.Blocks > 64 {
			return schemas.AnswerCommand
		}
		grant(open, c.Blocks)
		return schemas.AnswerOK
	case schemas.CommandCommit:
		if code := m.allowed(c, c.Path); code != schemas.AnswerOK {
			return code
		}
		named := map[schemas.BlockID]bool{}
		for _, x := range c.Extents {
			for n := range x.Blocks {
				named[x.Block.File().Block(x.Block.Number()+uint32(n))] = true
			}
		}
		for b := range named {
			if !open.blocks[b] {
				return schemas.AnswerCommand
			}
		}
		m.content[c.Path] = modelFile{c.File, now, named, c.Length}
	}
	m.opens[c.Path] = slices.Delete(m.opens[c.Path], at, at+1)
	return schemas.AnswerOK
}

func grant(f modelFile, count int32) {
	for range count {
		f.blocks[f.id.Block(uint32(len(f.blocks)))] = true
	}
}

func (m *model) allowed(c *schemas.Command, path string) string {
	have := m.content[path].generation
	switch {
	case c.IfVersion == nil || *c.IfVersion == have:
		return schemas.AnswerOK
	case *c.IfVersion == 0:
		return schemas.AnswerExists
	}
	return schemas.AnswerVersion
}

func (m *model) create(c *schemas.Command, now schemas.Generation) string {
	used := false
	for _, f := range m.content {
		used = used || f.id == c.File
	}
	for _, opens := range m.opens {
		used = used || slices.ContainsFunc(opens, func(f modelFile) bool { return f.id == c.File })
	}
	if c.Blocks < 1 || c.Blocks > 64 || used {
		return schemas.AnswerCommand
	}
	code := m.allowed(c, c.Path)
	if code == schemas.AnswerOK {
		f := modelFile{c.File, now, map[schemas.BlockID]bool{}, 0}
		grant(f, c.Blocks)
		m.opens[c.Path] = append(m.opens[c.Path], f)
	}
	return code
}

func (m *model) delete(c *schemas.Command) string {
	_, there := m.content[c.Path]
	if !there && len(m.opens[c.Path]) == 0 {
		return schemas.AnswerMissing
	}
	code := m.allowed(c, c.Path)
	if code == schemas.AnswerOK && there {
		delete(m.content, c.Path)
	} else if code == schemas.AnswerOK {
		delete(m.opens, c.Path)
	}
	return code
}

func (m *model) rename(c *schemas.Command, now schemas.Generation) string {
	if schemas.Volume(c.Path) != schemas.Volume(c.To) {
		return schemas.AnswerVolume
	}
	f, there := m.content[c.Path]
	if !there {
		return schemas.AnswerMissing
	}
	code := m.allowed(c, c.To)
	if code == schemas.AnswerOK && c.Path != c.To {
		delete(m.content, c.Path)
		f.generation = now
		m.content[c.To] = f
	}
	return code
}

// named lists the blocks that content or an open names.
func (m *model) named() map[schemas.BlockID]bool {
	all := map[schemas.BlockID]bool{}
	for _, f := range m.content {
		maps.Copy(all, f.blocks)
	}
	for _, opens := range m.opens {
		for _, f := range opens {
			maps.Copy(all, f.blocks)
		}
	}
	return all
}

func (m *model) compare(v Volume) error {
	paths := map[string]bool{}
	for it := orEmpty(v.entries).Root().Iterator(); ; {
		_, e, ok := it.Next()
		if !ok {
			break
		}
		paths[e.Path] = true
		f := m.content[e.Path]
		if e.Version != f.generation || e.Committed() && (e.File != f.id || e.Length != f.length) || len(e.Opens) != len(m.opens[e.Path]) {
			return fmt.Errorf("%s, want %+v and opens %+v", describeEntry(&e), f, m.opens[e.Path])
		}
		for i, o := range e.Opens {
			if want := m.opens[e.Path][i]; o.File != want.id || o.Generation != want.generation || len(expand(o.Granted)) != len(want.blocks) {
				return fmt.Errorf("%s, want open %+v", describeEntry(&e), want)
			}
		}
	}
	for path, opens := range m.opens {
		if len(opens) > 0 && !paths[path] {
			return fmt.Errorf("%s with opens is lost", path)
		}
	}
	for path := range m.content {
		if !paths[path] {
			return fmt.Errorf("%s is lost", path)
		}
	}
	return nil
}

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
		for offset := range int64(rapid.IntRange(1, 15).Draw(t, "commands")) {
			if err := r.hear(drawCommand(t, r.model, offset+1)); err != nil {
				t.Fatal(err)
			}
		}
		before := view(r.volume)
		for range 2 {
			in := drawCommand(t, r.model, 50)
			var said [2][]string
			for i := range said {
				_, _ = Fold(r.volume, in, func(e Event) { said[i] = append(said[i], describe(e)) })
			}
			if !slices.Equal(said[0], said[1]) {
				t.Fatalf("said %q, then %q", said[0], said[1])
			}
		}
		if after := view(r.volume); !slices.Equal(before, after) {
			t.Fatalf("the volume was changed from %q to %q", before, after)
		}
	})
}
