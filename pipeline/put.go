package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"stripeline/producers/blockfile"
	"stripeline/schemas"
)

// Level is how safe what was written is.
type Level string

// The levels, weakest first.
const (
	Logged    Level = "logged"    // the brokers have it
	Stored    Level = "stored"    // every stripe counts at least q cells on different domains
	Full      Level = "full"      // every stripe counts all n cells
	Committed Level = "committed" // readable under its path
)

// Levels lists the levels, weakest first.
func Levels() []Level { return []Level{Logged, Stored, Full, Committed} }

// Errors of Put.
var (
	ErrShortBlock  = errors.New("a block closed with other content than was sent")
	ErrTooFew      = errors.New("too few targets")
	ErrPacketLimit = errors.New("packets topic takes no record as large as a packet")
	ErrRefused     = errors.New("refused")
	ErrMetadata    = errors.New("too much metadata")
)

// PutOptions says what is written where.
type PutOptions struct {
	Path      string
	Policy    string              // schemas.DefaultPolicy when empty
	Level     Level               // when Put returns; Committed when empty
	Size      int64               // of the input in bytes when known, else 0
	Metadata  map[string]string   // kept with the entry and in the shards
	IfVersion *schemas.Generation // precondition on the path's committed version; 0 = there must be none
	Progress  func(PutProgress)   // called now and then from one goroutine; may be nil
}

// PutProgress is how far a write has come, in bytes of the file.
type PutProgress struct {
	Sent   int64  // given to the producer
	Logged int64  // confirmed by the brokers
	State  string // what is being waited for
}

// PutResult is what was written.
type PutResult struct {
	Path    string             `json:"path"`
	File    string             `json:"file"`
	Version schemas.Generation `json:"version"`
	Policy  string             `json:"policy"`
	Length  int64              `json:"length"`
	CRC     uint32             `json:"crc32c"`
	Blocks  int                `json:"blocks"`
	Level   Level              `json:"level"`
}

// Put writes everything that in holds as one file, and returns when it is as safe as PutOptions.Level says. For a level
// below Stored the commit is sent once the brokers have every packet, without waiting for the seal. When it fails, nothing
// of the path has changed and the open is given up.
func (s *Site) Put(ctx context.Context, in io.Reader, o PutOptions) (PutResult, error) {
	w, err := s.newWriter(ctx, o)
	if err != nil {
		return PutResult{}, err
	}
	defer w.close()
	if err := w.create(ctx); err != nil {
		return PutResult{}, err
	}
	cutter := blockfile.New(in, w.cutting())
	err = w.send(ctx, cutter)
	if err == nil {
		err = w.finish(ctx, cutter)
	}
	if err != nil {
		w.abort(ctx)
		return PutResult{}, fmt.Errorf("put %s: %w", o.Path, err)
	}
	return w.result(cutter), nil
}

// finish waits as the level asks, and commits.
func (w *writer) finish(ctx context.Context, cutter *blockfile.Cutter) error {
	w.say("waiting for the seal")
	if w.options.Level != Logged {
		if err := w.awaitBlocks(ctx, cutter.Blocks()); err != nil {
			return err
		}
	}
	return w.commit(ctx, cutter)
}

// commitPatience is how long an answer to a commit is waited for after an interruption: until it is there, nobody knows
// whether the path has changed.
const commitPatience = 5 * time.Second

// commit replaces the path's content and reads the entry back. A context that has ended before ends it: the end of an
// input that was interrupted together with its writer is not the end of the file. Later it is given commitPatience.
func (w *writer) commit(ctx context.Context, cutter *blockfile.Cutter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.say("committing")
	ctx, cancel := outlive(ctx, commitPatience)
	defer cancel()
	commit := schemas.Command{Kind: schemas.CommandCommit, Path: w.options.Path, File: w.file, Generation: w.generation,
		IfVersion: w.options.IfVersion, Length: cutter.Length(), CRC: cutter.CRC(), Extents: cutter.Extents(),
		Unused: cutter.Unused(), Metadata: w.options.Metadata}
	answer, err := w.catalog.execute(ctx, &commit)
	if err != nil {
		return err
	}
	w.generation = answer.Generation
	return w.catalog.awaitVersion(ctx, w.options.Path, answer.Generation)
}

// outlive gives a context that ends so long after another one.
func outlive(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return longer, func() { stop(); cancel() }
}

// awaitBlocks waits until every block is closed, and full where the level asks for it, and compares it with what was sent.
func (w *writer) awaitBlocks(ctx context.Context, blocks []blockfile.Block) error {
	for _, sent := range blocks {
		block, err := w.catalog.awaitBlock(ctx, sent.ID, func(b schemas.Block) bool {
			if w.options.Level == Full && b.State == schemas.BlockDegraded {
				w.site.Log.Warn("a block lacks cells, and full waits for them: is a target full or away?", "block", b.ID, "missing", b.Missing)
				w.say("waiting for missing cells")
			}
			return b.State == schemas.BlockDeleted || b.Closed() && (w.options.Level != Full || b.State == schemas.BlockSealed)
		})
		if err != nil {
			return err
		}
		if block.State == schemas.BlockDeleted || block.Length != sent.Length || block.CRC != sent.CRC {
			return fmt.Errorf("%w: block %s is %s with %d bytes, %d were sent: was it fenced by another writer? put the file again",
				ErrShortBlock, sent.ID, block.State, block.Length, sent.Length)
		}
	}
	return nil
}

// abort gives the open up, also when ctx has ended. An open that is left does no harm: it stands beside the content.
func (w *writer) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	command := schemas.Command{Kind: schemas.CommandAbort, Path: w.options.Path, File: w.file, Generation: w.generation}
	if _, err := w.catalog.execute(ctx, &command); err != nil {
		w.site.Log.Warn("the open is left beside the path's content: 'stripeline stat' shows it", "path", w.options.Path, "error", err)
	}
}

func (w *writer) result(cutter *blockfile.Cutter) PutResult {
	return PutResult{Path: w.options.Path, File: w.file.String(), Version: w.generation, Policy: w.policy.String(),
		Length: cutter.Length(), CRC: cutter.CRC(), Blocks: len(cutter.Blocks()), Level: w.options.Level}
}
