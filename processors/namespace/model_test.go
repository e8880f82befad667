package namespace

import (
	"fmt"
	"maps"
	"slices"

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
