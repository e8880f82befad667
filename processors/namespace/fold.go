// Package namespace is in the processors room: it folds the commands of one volume, in the order of the log, into the
// entries of its paths and the answers to the commands.
//
//	command  needs                                         does
//	CREATE   path, policy, fresh file id, 1 to 64 blocks   a new open beside the others, numbers 0 to blocks-1
//	EXTEND   the open's file id and generation             the next numbers
//	COMMIT   the same, extents that cover the length       the content is replaced, the open ends
//	ABORT    the open's file id and generation             the open ends
//	DELETE   content or opens                              the content goes; where there is none, the opens
//	RENAME   content, a path in the same volume            content and path part; it replaces what the new path has
//	TAKE                                                   not yet: answered with code "command"
//
// A precondition (IfVersion) is on the committed version of the path, of RENAME on that of the new path: 0 = there must
// be no content. Opens belong to their path: a rename does not move them, and deleting content leaves them.
//
// The generation of an open, and the version of what COMMIT, DELETE and RENAME did, is that of the command: catalog
// epoch and offset. Blocks that nothing names any more are asked to be deleted: those of content that was replaced or
// deleted, and the granted ones of an open that ended, except those that its commit named.
//
// Every command is answered once. One that has an answer is not executed again. Answers are tombstoned when they are
// more than 7 days older than the newest one.
package namespace

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"stripeline/schemas"
)

// Ordered is a command at its place in the log.
type Ordered struct {
	Command schemas.Command
	Offset  int64  // of its record on the commands topic
	Epoch   uint16 // the catalog's
	Time    int64  // the record's timestamp, milliseconds since 1970
}

// Event is one thing that a command did: a record for the files topic, or a request for the acks topic.
type Event struct {
	Key    []byte              // of the files record; nil for a request
	Record *schemas.FileRecord // nil = tombstone
	Delete *schemas.Ack        // an ack of kind DELETE; nil for a files record
}

// Fold executes one command on its volume: entries first, then requests, then the answer, then tombstones of answers.
// What it emits shares memory with the volume and is not to be changed; nothing of the command is kept.
//
// A Reject is a command without an id, or whose path is no text. Whatever else is wrong with a command is its answer.
func Fold(s Volume, in Ordered, emit func(Event)) (Volume, error) {
	c := &in.Command
	if c.ID == (schemas.CommandID{}) {
		return s, schemas.Reject("command", fmt.Sprintf("%s of %q has no command id: send 16 random bytes", c.Kind, c.Path))
	}
	if !utf8.ValidString(c.Path) || len(c.Path) > 16*schemas.MaxPath {
		return s, schemas.Reject("path", fmt.Sprintf("%s command %s: its path of %d bytes is no text of at most %d bytes", c.Kind, c.ID, len(c.Path), schemas.MaxPath))
	}
	if _, done := s.Answer(c.ID); done {
		return s, nil
	}
	w := work{volume: s, command: c, generation: schemas.NewGeneration(in.Epoch, in.Offset), emit: emit}
	answer := schemas.Answer{Command: c.ID, Path: strings.Clone(c.Path), Code: schemas.AnswerOK, Time: s.stamp(in.Time)}
	if refused := w.execute(&answer); refused != nil {
		answer.Code, answer.Message = refused.code, refused.message
	}
	volume, expired := w.volume.withAnswer(answer)
	emit(Event{Key: schemas.AnswerKey(c.ID), Record: &schemas.FileRecord{Answer: &answer}})
	for _, id := range expired {
		emit(Event{Key: schemas.AnswerKey(id)})
	}
	return volume, nil
}

// work is the execution of one command.
type work struct {
	volume     Volume
	command    *schemas.Command
	generation schemas.Generation
	emit       func(Event)
}

// refusal is why a command was not executed. Who refuses has changed and emitted nothing.
type refusal struct{ code, message string }

func refuse(code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// execute does what the command asks and fills in the answer.
func (w *work) execute(answer *schemas.Answer) *refusal {
	if err := schemas.CheckPath(w.command.Path); err != nil {
		return refuse(schemas.AnswerPath, "%v", err)
	}
	switch w.command.Kind {
	case schemas.CommandCreate:
		return w.create(answer)
	case schemas.CommandExtend:
		return w.extend(answer)
	case schemas.CommandCommit:
		return w.commit(answer)
	case schemas.CommandAbort:
		return w.abort(answer)
	case schemas.CommandDelete:
		return w.delete(answer)
	case schemas.CommandRename:
		return w.rename(answer)
	case schemas.CommandTake:
		return refuse(schemas.AnswerCommand, "taking over an open is not yet possible: abort it, or delete the path, and write again")
	}
	return refuse(schemas.AnswerCommand, "%q is not a kind of command", string(w.command.Kind))
}

// precondition checks the command's IfVersion against the entry whose content it would replace or delete.
func (w *work) precondition(path string, e *schemas.Entry) *refusal {
	want := w.command.IfVersion
	switch {
	case want == nil || *want == e.Version:
		return nil
	case *want == 0:
		return refuse(schemas.AnswerExists, "%s exists, with version %s", path, e.Version)
	case !e.Committed():
		return refuse(schemas.AnswerVersion, "%s has no content, and version %s is wanted", path, *want)
	}
	return refuse(schemas.AnswerVersion, "%s has version %s, and %s is wanted: somebody else has written it", path, e.Version, *want)
}

// put makes the entry its path's, or takes the path away when there is neither content nor an open.
func (w *work) put(e schemas.Entry) {
	if !e.Committed() && len(e.Opens) == 0 {
		w.volume = w.volume.withoutEntry(e.Path)
		w.emit(Event{Key: []byte(e.Path)})
		return
	}
	w.volume = w.volume.withEntry(e)
	w.emit(Event{Key: []byte(e.Path), Record: &schemas.FileRecord{Entry: &e}})
}

// release asks for the deletion of a file's blocks.
func (w *work) release(file schemas.FileID, policy string, numbers []uint32) {
	for _, n := range numbers {
		w.emit(Event{Delete: &schemas.Ack{Kind: schemas.AckDelete, Block: file.Block(n), Generation: w.generation, Policy: policy,
			Offset: -1, First: -1, Stripes: -1, FileLength: -1}})
	}
}
