package namespace

import (
	"strings"

	"stripeline/schemas"
)

func (w *work) delete(answer *schemas.Answer) *refusal {
	c := w.command
	e := w.volume.entry(c.Path)
	if !e.Committed() && len(e.Opens) == 0 {
		return refuse(schemas.AnswerMissing, "there is no %s", c.Path)
	}
	if refused := w.precondition(c.Path, &e); refused != nil {
		return refused
	}
	answer.Generation, answer.File = w.generation, e.File
	if e.Committed() {
		w.put(bare(c.Path, &e))
		w.replaced(&e, schemas.FileID{}, nil)
		return nil
	}
	opens := e.Opens
	e.Opens = nil
	w.put(e)
	for i := range opens {
		w.release(opens[i].File, opens[i].Policy, expand(opens[i].Granted))
	}
	return nil
}

func (w *work) rename(answer *schemas.Answer) *refusal {
	c := w.command
	if err := schemas.CheckPath(c.To); err != nil {
		return refuse(schemas.AnswerPath, "%v", err)
	}
	if from, to := schemas.Volume(c.Path), schemas.Volume(c.To); from != to {
		return refuse(schemas.AnswerVolume, "%s lies in volume %q, %s in %q: copy the file and delete it", c.Path, from, c.To, to)
	}
	source := w.volume.entry(c.Path)
	if !source.Committed() {
		return refuse(schemas.AnswerMissing, "there is no %s", c.Path)
	}
	target := w.volume.entry(c.To)
	if refused := w.precondition(c.To, &target); refused != nil {
		return refused
	}
	answer.Generation, answer.File = w.generation, source.File
	if c.Path == c.To {
		answer.Generation = source.Version
		return nil
	}
	moved := source
	moved.Path, moved.Version, moved.Opens = target.Path, w.generation, target.Opens
	w.put(moved)
	w.put(bare(c.Path, &source))
	w.replaced(&target, schemas.FileID{}, nil)
	return nil
}

// bare is a path's entry without content.
func bare(path string, e *schemas.Entry) schemas.Entry {
	return schemas.Entry{Path: strings.Clone(path), Opens: e.Opens}
}
