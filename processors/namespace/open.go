package namespace

import (
	"slices"
	"strings"

	"stripeline/schemas"
)

// maxOpens is how many opens a path may have; with maxExtents it keeps an entry below Kafka's default limit of a record.
const maxOpens = 256

// maxBlocks is how many numbers a block id has room for.
const maxBlocks = 1 << 32

func (w *work) create(answer *schemas.Answer) *refusal {
	c := w.command
	if _, err := schemas.ParsePolicy(c.Policy); err != nil {
		return refuse(schemas.AnswerPolicy, "%v", err)
	}
	if refused := w.grantable(0); refused != nil {
		return refused
	}
	if c.File == (schemas.FileID{}) {
		return refuse(schemas.AnswerCommand, "a create brings a file id of 12 random bytes")
	}
	if path, used := w.volume.path(c.File); used {
		return refuse(schemas.AnswerCommand, "file id %s is in use at %s: a create brings a fresh one, and appending is not yet possible", c.File, path)
	}
	e := w.volume.entry(c.Path)
	if refused := w.precondition(c.Path, &e); refused != nil {
		return refused
	}
	if len(e.Opens) >= maxOpens {
		return refuse(schemas.AnswerCommand, "%s has %d opens, the most there can be: delete the path, or let them end", c.Path, maxOpens)
	}
	granted := []schemas.Numbers{{First: 0, Count: c.Blocks}}
	e.Opens = append(slices.Clip(e.Opens), schemas.Open{File: c.File, Generation: w.generation, Policy: strings.Clone(c.Policy),
		Granted: granted, Next: int64(c.Blocks), Time: c.Time})
	w.put(e)
	answer.Generation, answer.File, answer.Granted = w.generation, c.File, granted
	return nil
}

func (w *work) extend(answer *schemas.Answer) *refusal {
	e, at, refused := w.open()
	if refused != nil {
		return refused
	}
	o := e.Opens[at]
	if refused := w.grantable(o.Next); refused != nil {
		return refused
	}
	more := schemas.Numbers{First: o.Next, Count: w.command.Blocks}
	o.Granted = slices.Clone(o.Granted)
	if last := &o.Granted[len(o.Granted)-1]; last.First+int64(last.Count) == more.First {
		last.Count += more.Count
	} else {
		o.Granted = append(o.Granted, more)
	}
	o.Next += int64(more.Count)
	e.Opens = slices.Clone(e.Opens)
	e.Opens[at] = o
	w.put(e)
	answer.Generation, answer.File, answer.Granted = o.Generation, o.File, []schemas.Numbers{more}
	return nil
}

func (w *work) abort(answer *schemas.Answer) *refusal {
	e, at, refused := w.open()
	if refused != nil {
		return refused
	}
	o := e.Opens[at]
	e.Opens = without(e.Opens, at)
	w.put(e)
	w.release(o.File, o.Policy, expand(o.Granted))
	answer.Generation, answer.File = o.Generation, o.File
	return nil
}

// open finds the open that the command is about: that of its path, file id and generation.
func (w *work) open() (schemas.Entry, int, *refusal) {
	c := w.command
	e := w.volume.entry(c.Path)
	at := slices.IndexFunc(e.Opens, func(o schemas.Open) bool { return o.File == c.File })
	if at < 0 {
		return e, 0, refuse(schemas.AnswerMissing, "%s has no open of file %s: it was never created, or was committed, aborted or deleted", c.Path, c.File)
	}
	switch have := e.Opens[at].Generation; {
	case c.Generation < have:
		return e, 0, refuse(schemas.AnswerFenced, "generation %s of file %s is fenced by %s: another writer has taken over", c.Generation, c.File, have)
	case c.Generation > have:
		return e, 0, refuse(schemas.AnswerCommand, "generation %s of file %s was never given: the open's is %s", c.Generation, c.File, have)
	}
	return e, at, nil
}

// grantable says whether the command asks for a number of blocks that can be granted from next on.
func (w *work) grantable(next int64) *refusal {
	blocks := w.command.Blocks
	if blocks < 1 || blocks > schemas.MaxGrant {
		return refuse(schemas.AnswerCommand, "%d blocks are asked for: ask for 1 to %d", blocks, schemas.MaxGrant)
	}
	if next+int64(blocks) > maxBlocks {
		return refuse(schemas.AnswerCommand, "file %s has used up its block numbers", w.command.File)
	}
	return nil
}

func without(opens []schemas.Open, at int) []schemas.Open {
	return slices.Concat(opens[:at], opens[at+1:])
}
