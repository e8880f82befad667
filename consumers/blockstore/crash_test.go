package blockstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

var errDead = errors.New("the process is dead")

// crash is a disk that dies before its n-th change, or half way through it, and knows what a power cut would leave.
type crash struct {
	mu    sync.Mutex
	n     int
	half  bool
	count int
	// sizes holds what of each file is fsynced; loose names whose directory has not been fsynced since.
	sizes map[string]int64
	loose map[string]bool
}

func newCrash(n int, half bool) *crash {
	return &crash{n: n, half: half, sizes: make(map[string]int64), loose: make(map[string]bool)}
}

func (c *crash) before(op durable.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.count > c.n {
		if c.half && c.count == c.n+1 && op.Kind == durable.OpWrite {
			return &durable.Short{Written: op.Length / 2, Err: errDead}
		}
		return errDead
	}
	switch op.Kind {
	case durable.OpCreate, durable.OpMkdir, durable.OpLink:
		c.loose[op.Path] = true
	case durable.OpSync:
		if info, err := os.Stat(op.Path); err == nil {
			c.sizes[op.Path] = info.Size()
		}
		return durable.ErrLie // the test cuts the power, so the disk need not work
	case durable.OpSyncDir:
		for name := range c.loose {
			if filepath.Dir(name) == op.Path {
				delete(c.loose, name)
			}
		}
		return durable.ErrLie
	}
	return nil
}

// cutPower makes the directories what a power cut leaves: names without an fsync of their directory are gone, and of
// what was not fsynced in a file a part is kept, cut or with a hole.
func (c *crash) cutPower(t *testing.T, dirs []Directory, random *rand.Rand) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.loose {
		if strings.Contains(name, IDFile) {
			continue
		}
		removeAll(t, name)
	}
	for _, d := range dirs {
		files, _ := filepath.Glob(filepath.Join(d.Path, "*", "*.shard"))
		for _, file := range files {
			c.cutFile(t, file, random)
		}
	}
}

func (c *crash) cutFile(t *testing.T, file string, random *rand.Rand) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	synced := c.sizes[file]
	if info.Size() <= synced {
		return
	}
	loose := info.Size() - synced
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if random.IntN(2) == 0 {
		err = f.Truncate(synced + random.Int64N(loose+1))
	} else {
		hole := random.Int64N(loose)
		_, err = f.WriteAt(make([]byte, min(1+random.Int64N(4096), loose-hole)), synced+hole)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// step is a part of the script that a crash interrupts.
func script(file schemas.FileID) []schemas.Packet {
	a, b := file.Block(0), file.Block(1)
	return []schemas.Packet{packet(a, 0, 12288), packet(b, 0, 5000), packet(a, 1, 12288), packet(a, 2, 100), {}, packet(b, 1, 12288),
		packet(a, 3, 12288), {}, endPacket(a, 4), packet(b, 2, 1), endPacket(b, 3), {}}
}

func scriptLength(block schemas.BlockID, stripe int32) int {
	if block.Number() == 0 {
		return []int{12288, 12288, 100, 12288}[stripe]
	}
	return []int{5000, 12288, 1}[stripe]
}

// play puts and flushes until something goes wrong, and gives the packets that a commit would not cover.
func (r *rig) play(packets []schemas.Packet) []schemas.Packet {
	done := 0
	for i, p := range packets {
		if p.Kind != "" {
			if r.put(p) != nil {
				return packets[done:]
			}
			continue
		}
		if _, err := r.flush(); err != nil {
			return packets[done:]
		}
		done = i + 1
	}
	return packets[done:]
}

// record makes what the seal would have on record after the acks so far.
func record(acks []schemas.Ack) func(schemas.BlockID) (schemas.Block, bool) {
	blocks := make(map[schemas.BlockID]*schemas.Block)
	for _, a := range acks {
		b := blocks[a.Block]
		if b == nil {
			b = &schemas.Block{ID: a.Block, State: schemas.BlockOpen}
			blocks[a.Block] = b
		}
		for _, x := range a.Receipts {
			b.Shards = append(b.Shards, schemas.Shard{Index: x.Index, Target: x.Target, Incarnation: x.Incarnation,
				Ranges: []schemas.Range{{First: x.First, Last: x.Last}}, State: schemas.ShardKeep})
		}
	}
	return func(id schemas.BlockID) (schemas.Block, bool) {
		if b := blocks[id]; b != nil {
			return *b, true
		}
		return schemas.Block{}, false
	}
}

// crashAt plays the script on a disk that dies, then everything that was not committed on a good one, and checks
// that no frame that was acked is lost. It says whether the disk died.
func crashAt(t *testing.T, n int, half, power bool, seed uint64) bool {
	t.Helper()
	c := newCrash(1<<30, half)
	r := newRig(t, 5, func(o *Options) { o.Disk = &durable.Disk{Before: c.before} })
	c.mu.Lock()
	c.n = c.count + n
	c.mu.Unlock()
	rest := r.play(script(r.file))
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if power {
		c.cutPower(t, r.options.Directories, rand.New(rand.NewPCG(seed, uint64(n))))
	}
	before := slices.Clone(r.acks)
	r.options.Disk = &durable.Disk{Before: newCrash(1<<30, false).before}
	if seed%2 == 0 {
		r.options.Acked = record(before)
	}
	r.open()
	where := fmt.Sprintf("death before change %d, half %t, power cut %t, seed %d", n, half, power, seed)
	for _, p := range rest {
		if p.Kind == "" {
			r.mustFlush()
		} else {
			r.mustPut(p)
		}
	}
	r.checkScript(where, before)
	died := c.count > c.n
	return died
}

func (r *rig) checkScript(where string, before []schemas.Ack) {
	r.t.Helper()
	held := r.held()
	for key := range heldBy(before) {
		if !held[key] {
			r.t.Fatalf("%s: %s was acked and is said to be lost", where, key)
		}
	}
	closes := make(map[schemas.BlockID]bool)
	for _, a := range r.acks {
		closes[a.Block] = closes[a.Block] || a.Kind == schemas.AckClose
	}
	if len(closes) != 2 || !closes[r.file.Block(0)] || !closes[r.file.Block(1)] {
		r.t.Fatalf("%s: not every block is closed: %v", where, closes)
	}
	missing := false
	for _, a := range before {
		missing = missing || len(a.Missing) > 0
	}
	r.checkCounts(where, held, missing)
	r.checkHeld(where)
}

// checkCounts checks that each stripe counts all its cells, or the quorum where one was given up before the death.
func (r *rig) checkCounts(where string, held map[string]bool, missing bool) {
	r.t.Helper()
	cells := make(map[string]bool)
	for key := range held {
		cells[strings.Join(strings.Split(key, "/")[:3], "/")] = true
	}
	count := make(map[string]int)
	for cell := range cells {
		parts := strings.Split(cell, "/")
		count[parts[0]+"/"+parts[2]]++
	}
	policy, _ := schemas.ParsePolicy(testPolicy)
	for _, p := range script(r.file) {
		if p.Kind != schemas.PacketData {
			continue
		}
		n := count[fmt.Sprintf("%s/%d", p.Block, p.Stripe)]
		for index := range policy.N() {
			if policy.CellLength(index, len(p.Payload)) == 0 {
				n++
			}
		}
		if n < policy.Quorum() || n < policy.N() && !missing {
			r.t.Fatalf("%s: stripe %d of block %d counts %d cells", where, p.Stripe, p.Block.Number(), n)
		}
	}
}

func (r *rig) checkHeld(where string) {
	r.t.Helper()
	for number := range uint32(2) {
		block := r.file.Block(number)
		var acks []schemas.Ack
		for _, a := range r.acks {
			if a.Block == block {
				acks = append(acks, a)
			}
		}
		if r.check(acks, func(s int32) int { return scriptLength(block, s) }) == 0 {
			r.t.Fatalf("%s: nothing of block %d can be read", where, number)
		}
	}
}

func TestNoAckedFrameIsLostByDeathAtAnyChange(t *testing.T) {
	for _, c := range []struct {
		name        string
		half, power bool
		seeds       []uint64
	}{{"killed", false, false, []uint64{0}}, {"killed in mid-write", true, false, []uint64{1}}, {"power cut", true, true, []uint64{0, 1}}} {
		for _, seed := range c.seeds {
			t.Run(fmt.Sprint(c.name, seed), func(t *testing.T) {
				t.Parallel()
				n := 0
				for n = 0; crashAt(t, n, c.half, c.power, seed); n++ {
				}
				if n < 50 {
					t.Errorf("only %d changes were tried", n)
				}
			})
		}
	}
}
