package blockstore

import (
	"fmt"
	"time"
)

// operation is something done to a target's disk. done is called exactly once, with run's error or ErrSick; free is
// called exactly once, when nothing reads the operation's memory any more.
type operation struct {
	run     func() error
	done    func(error)
	free    func()
	started time.Time
	over    bool // done has been called, or is about to be
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
