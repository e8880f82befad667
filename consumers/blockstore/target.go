package blockstore

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"stripeline/consumers/durable"
	"stripeline/schemas"
)

// target is a directory of this store. Everything that touches its disk is an operation that runs in a goroutine of
// the target: writes in one, in order; the rest each in its own. A disk that hangs therefore holds up nobody: after
// the deadline its operations are abandoned, which tells their owners ErrSick, and the target is sick until the
// stuck ones have come back and a probe works.
type target struct {
	dir    string
	id     schemas.TargetID
	rack   string
	domain string
	disk   *durable.Disk
	lock   *durable.Lock
	idFile os.FileInfo // of the locked id file
	syncs  chan struct{}

	mu       sync.Mutex
	wake     sync.Cond
	named    map[string]bool // directories whose own name this process has made durable
	sick     error           // why it is sick; nil = it works
	free     int64
	queue    []*operation // writes
	running  map[*operation]struct{}
	stopping bool
	group    sync.WaitGroup
}

// concurrentSyncs is how many fsyncs one target has in the kernel at once.
const concurrentSyncs = 16

func openTarget(disk *durable.Disk, d Directory) (*target, error) {
	id, lock, err := takeDirectory(disk, d)
	if err != nil {
		return nil, err
	}
	t := &target{dir: d.Path, id: id, rack: d.Rack, domain: d.Domain, disk: disk, lock: lock,
		syncs: make(chan struct{}, concurrentSyncs), running: make(map[*operation]struct{}), named: make(map[string]bool)}
	if t.domain == "" {
		t.domain = id.String()
	}
	t.wake.L = &t.mu
	t.idFile, err = os.Stat(filepath.Join(d.Path, IDFile))
	if err == nil {
		t.free, err = durable.Free(d.Path)
	}
	if err != nil {
		_ = lock.Release()
		return nil, fmt.Errorf("open target %s: %w", d.Path, err)
	}
	t.group.Go(t.write)
	return t, nil
}

// heal probes a sick target and makes it work again when the probe does. A target with stuck operations stays sick.
func (t *target) heal() {
	result := make(chan error, 1)
	probing := &operation{done: func(err error) { result <- err }, free: func() {}, run: func() error {
		if err := t.present(); err != nil {
			return err
		}
		return probe(t.disk, t.dir, make([]byte, probeBytes))
	}}
	t.mu.Lock()
	ask := t.sick != nil && len(t.running) == 0 && len(t.queue) == 0 && !t.stopping
	if ask {
		t.begin(probing)
	}
	t.mu.Unlock()
	if ask && <-result == nil {
		t.mu.Lock()
		t.sick = nil
		t.mu.Unlock()
	}
}

// present checks that the directory is still the target that was locked, and not an empty mount point.
func (t *target) present() error {
	info, err := os.Stat(filepath.Join(t.dir, IDFile))
	if err != nil {
		return fmt.Errorf("look for the id file: %w", err)
	}
	if !os.SameFile(info, t.idFile) {
		return fmt.Errorf("look for the id file: %w", ErrWrongTarget)
	}
	return nil
}

// unnamed gives the directories to be fsynced for a new file in dir: dir, and the target's own as long as it is not
// known that dir's name is durable, whoever made it.
func (t *target) unnamed(dir string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.named[dir] {
		return []string{dir}
	}
	return []string{dir, t.dir}
}

// name notes that these directories were fsynced for a file.
func (t *target) name(dirs []string) {
	if len(dirs) == 2 {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.named[dirs[0]] = true
	}
}

// trouble gives why the target is sick, or nil.
func (t *target) trouble() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sick
}

// measure notes the free space.
func (t *target) measure() {
	var free int64
	if t.do(func() (err error) { free, err = durable.Free(t.dir); return err }) == nil {
		t.mu.Lock()
		t.free = free
		t.mu.Unlock()
	}
}

// noun gives the target as others know it.
func (t *target) noun(node string) schemas.Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := schemas.TargetUp
	if t.sick != nil {
		state = schemas.TargetSick
	}
	path, err := filepath.Abs(t.dir)
	if err != nil {
		path = t.dir
	}
	return schemas.Target{ID: t.id, Node: node, Rack: t.rack, Domain: t.domain, Address: "file://" + path, State: state, Free: t.free}
}

// stop ends the target's goroutines, after the operations that are queued. Those that hang are left behind after the
// deadline.
func (t *target) stop(deadline time.Duration) error {
	t.mu.Lock()
	t.stopping = true
	t.wake.Signal()
	t.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		t.group.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(deadline):
	}
	return t.lock.Release()
}
