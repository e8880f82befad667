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

// operation is something done to a target's disk. done is called exactly once, with run's error or ErrSick; free is
// called exactly once, when nothing reads the operation's memory any more.
type operation struct {
	run     func() error
	done    func(error)
	free    func()
	started time.Time
	over    bool // done has been called, or is about to be
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

// write is the goroutine that runs the writes, in order.
func (t *target) write() {
	for {
		t.mu.Lock()
		for len(t.queue) == 0 && !t.stopping {
			t.wake.Wait()
		}
		if len(t.queue) == 0 {
			t.mu.Unlock()
			return
		}
		o := t.queue[0]
		t.queue[0], t.queue = nil, t.queue[1:]
		t.start(o)
		t.mu.Unlock()
		t.finish(o, o.run())
	}
}

// start notes an operation as running; t.mu is held.
func (t *target) start(o *operation) {
	o.started = time.Now()
	t.running[o] = struct{}{}
}

// finish ends an operation that has run.
func (t *target) finish(o *operation, err error) {
	t.mu.Lock()
	delete(t.running, o)
	told := o.over
	o.over = true
	if err != nil && !told {
		t.fail(err)
	}
	t.mu.Unlock()
	if !told {
		o.done(err)
	}
	o.free()
}

// fail makes the target sick; t.mu is held. The first cause stays.
func (t *target) fail(cause error) {
	if t.sick == nil {
		t.sick = fmt.Errorf("%w: %s: %w", ErrSick, t.dir, cause)
	}
}

// enqueue gives a write to the target. A sick target refuses it: then neither done nor free is called.
func (t *target) enqueue(o *operation) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refuse(); err != nil {
		return err
	}
	t.queue = append(t.queue, o)
	t.wake.Signal()
	return nil
}

// refuse says why the target takes no operation; t.mu is held.
func (t *target) refuse() error {
	if t.stopping {
		return ErrClosed
	}
	return t.sick
}

// do runs something on the target's disk in a goroutine of its own and waits for it, at most to the deadline. After
// an ErrSick it may still be running, so it must own all that it touches. Its error makes the target sick.
func (t *target) do(run func() error) error {
	result := make(chan error, 1)
	err := t.launch(&operation{run: run, done: func(err error) { result <- err }, free: func() {}})
	if err != nil {
		return err
	}
	return <-result
}

// launch starts an operation in a goroutine of its own. A sick target refuses it, as enqueue does.
func (t *target) launch(o *operation) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refuse(); err != nil {
		return err
	}
	t.begin(o)
	return nil
}

// begin starts an operation; t.mu is held.
func (t *target) begin(o *operation) {
	t.start(o)
	t.group.Go(func() { t.finish(o, o.run()) })
}

// expire abandons all operations when one has run for longer than the deadline.
func (t *target) expire(deadline time.Duration) {
	t.mu.Lock()
	var abandoned, unstarted []*operation
	late := false
	for o := range t.running {
		late = late || !o.over && time.Since(o.started) > deadline
	}
	if late {
		t.fail(fmt.Errorf("no answer within %s", deadline))
		unstarted, t.queue = t.queue, nil
		for o := range t.running {
			if !o.over {
				abandoned = append(abandoned, o)
			}
		}
		for _, o := range append(abandoned, unstarted...) {
			o.over = true
		}
	}
	sick := t.sick
	t.mu.Unlock()
	for _, o := range abandoned {
		o.done(sick)
	}
	for _, o := range unstarted {
		o.done(sick)
		o.free()
	}
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
