package namespace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"stripeline/consumers/catalog"
	"stripeline/schemas"
)

// town is a log of commands, a fold that crashes now and then, and a view of what it emits.
type town struct {
	mu       sync.Mutex
	grown    *sync.Cond
	log      []schemas.Command
	position int // commands folded
	stopped  bool

	view  *catalog.Files
	whole sync.RWMutex // held while the events of one command are put: they are one transaction
}

func newTown() *town {
	w := &town{view: catalog.NewFiles()}
	w.grown = sync.NewCond(&w.mu)
	return w
}

// send appends a command, sometimes twice as a producer does that lost an ack, and waits for its answer.
func (w *town) send(t *testing.T, c schemas.Command, times int) schemas.Answer {
	c.ID = schemas.NewCommandID()
	w.mu.Lock()
	for range times {
		w.log = append(w.log, c)
	}
	w.grown.Broadcast()
	w.mu.Unlock()
	a, err := w.view.AwaitAnswer(t.Context(), c.ID)
	if err != nil {
		t.Error(err)
	}
	return a
}

// read gives the length of a path's content, -1 for none, once the view has reached the end that the log has now.
func (w *town) read(path string) int64 {
	w.mu.Lock()
	for end := len(w.log); w.position < end; {
		w.grown.Wait()
	}
	w.mu.Unlock()
	w.whole.RLock()
	defer w.whole.RUnlock()
	e, _ := w.view.Lookup(path)
	if !e.Committed() {
		return -1
	}
	return e.Length
}

// fold runs until stop; with the given chance it forgets everything before a command and reads it back.
func (w *town) fold(t *testing.T, crash func() bool) {
	emitted := newTopic()
	var v Volume
	for {
		w.mu.Lock()
		for w.position == len(w.log) && !w.stopped {
			w.grown.Wait()
		}
		if w.stopped {
			w.mu.Unlock()
			return
		}
		in := Ordered{Command: w.log[w.position], Offset: int64(w.position)}
		w.mu.Unlock()
		if crash() {
			v = emitted.restore()
		}
		w.whole.Lock()
		next, err := Fold(v, in, func(e Event) {
			emitted.put(e)
			if e.Delete == nil {
				w.view.Put(e.Key, e.Record)
			}
		})
		w.whole.Unlock()
		if v = next; err != nil {
			t.Error(err)
		}
		w.mu.Lock()
		w.position++
		w.grown.Broadcast()
		w.mu.Unlock()
	}
}

func (w *town) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.grown.Broadcast()
}

type nameOp struct {
	kind, path, to string
	length         int64
	absent         bool // only if there is no content
}

// onlyOpens is the result of a delete that found opens and no content.
const onlyOpens = "only opens"

type nameResult struct {
	code   string
	length int64
}

// write creates and commits a file of one block.
func (w *town) write(t *testing.T, op nameOp, times int) string {
	file := schemas.NewFileID()
	c := schemas.Command{Kind: schemas.CommandCreate, Path: op.path, File: file, Policy: "RS-3-2-4k", Blocks: 1}
	if op.absent {
		none := schemas.Generation(0)
		c.IfVersion = &none
	}
	a := w.send(t, c, times)
	if a.Code != schemas.AnswerOK {
		return a.Code
	}
	c.Kind, c.Generation, c.Length = schemas.CommandCommit, a.Generation, op.length
	c.Extents = []schemas.Extent{{Block: file.Block(0), Blocks: 1, Length: op.length}}
	return w.send(t, c, times).Code
}

func (w *town) do(t *testing.T, op nameOp, times int) nameResult {
	switch op.kind {
	case "write":
		return nameResult{code: w.write(t, op, times)}
	case "delete":
		a := w.send(t, schemas.Command{Kind: schemas.CommandDelete, Path: op.path}, times)
		if a.Code == schemas.AnswerOK && a.File == (schemas.FileID{}) {
			return nameResult{code: onlyOpens}
		}
		return nameResult{code: a.Code}
	case "rename":
		return nameResult{code: w.send(t, schemas.Command{Kind: schemas.CommandRename, Path: op.path, To: op.to}, times).Code}
	}
	return nameResult{length: w.read(op.path)}
}

// names is the specification: a map of paths to lengths, written as text so that states can be compared.
var names = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		op, got := input.(nameOp), output.(nameResult)
		have := parseNames(state.(string))
		length, there := have[op.path]
		want := schemas.AnswerOK
		if got.code == onlyOpens || op.kind == "write" && got.code == schemas.AnswerMissing {
			return !there || op.kind == "write", state // writes whose open was deleted did nothing
		}
		switch {
		case op.kind == "read":
			return there && got.length == length || !there && got.length == -1, state
		case op.kind == "write" && op.absent && there:
			want = schemas.AnswerExists
		case op.kind == "write":
			have[op.path] = op.length
		case !there:
			want = schemas.AnswerMissing
		case op.kind == "delete":
			delete(have, op.path)
		case op.kind == "rename":
			delete(have, op.path)
			have[op.to] = length
		}
		return got.code == want, formatNames(have)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

func parseNames(state string) map[string]int64 {
	have := map[string]int64{}
	for line := range strings.Lines(state) {
		var path string
		var length int64
		if _, err := fmt.Sscanf(line, "%s %d", &path, &length); err == nil {
			have[path] = length
		}
	}
	return have
}

func formatNames(have map[string]int64) string {
	var lines []string
	for path, length := range have {
		lines = append(lines, fmt.Sprintf("%s %d\n", path, length))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func TestNamesAreLinearizable(t *testing.T) {
	const clients, rounds = 4, 12
	for seed := range uint64(20) {
		w := newTown()
		var folding, all sync.WaitGroup
		chance := rand.New(rand.NewPCG(seed, 1))
		folding.Go(func() { w.fold(t, func() bool { return chance.IntN(4) == 0 }) })
		var mu sync.Mutex
		var history []porcupine.Operation
		begin := time.Now()
		for client := range clients {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(client)+2))
				for round := range rounds {
					op := nameOp{kind: []string{"write", "write", "delete", "rename", "read", "read"}[r.IntN(6)],
						path: []string{"/v/a", "/v/b"}[r.IntN(2)], length: int64(1 + client*rounds + round), absent: r.IntN(2) == 0}
					if op.to = "/v/a"; op.path == op.to {
						op.to = "/v/b"
					}
					call := time.Since(begin)
					result := w.do(t, op, 1+r.IntN(2))
					done := time.Since(begin)
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: client, Input: op, Call: int64(call), Output: result, Return: int64(done)})
					mu.Unlock()
				}
			})
		}
		all.Wait()
		w.stop()
		folding.Wait()
		if !porcupine.CheckOperations(names, history) {
			t.Fatalf("seed %d: no order of the operations explains what was seen", seed)
		}
	}
}
