package flow

import (
	"sync"

	"stripeline/pipeline/kafka"
)

// window is what one partition was delivered and is not done yet, in delivery order. A record has a number: the first
// delivered is 0. Offsets have gaps (compaction, markers of transactions), numbers have none.
type window struct {
	mu      sync.Mutex
	head    uint64  // number of entries[0]
	started uint64  // number of the next record that is taken into work
	entries []entry // from head on
	mark    kafka.Mark
	moved   bool          // mark is newer than what marked gave
	fenced  bool          // late dones are ignored
	idle    chan struct{} // closed when all that is started is done; nil while nobody waits
}

// entry is one record; left counts the effects that are not durable yet.
type entry struct {
	offset int64
	epoch  int32
	left   int32
	bytes  int64
}

// add takes a delivered record in.
func (w *window) add(r *kafka.Record, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, entry{r.Offset, r.LeaderEpoch, 1, bytes})
}

// start gives the number of the next record, which is taken into work now.
func (w *window) start() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started++
	return w.started - 1
}

// abandon takes back the last start: the record will be delivered again, here or elsewhere.
func (w *window) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started--
	w.advance()
}

// hold says that a record has more effects to wait for.
func (w *window) hold(n uint64, more int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.fenced {
		w.entries[n-w.head].left += int32(more)
	}
}

// settle says that one effect of each record is durable, and gives the bytes and the number of those that are done by it.
func (w *window) settle(numbers ...uint64) (bytes int64, done int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fenced {
		return 0, 0
	}
	for _, n := range numbers {
		e := &w.entries[n-w.head]
		if e.left--; e.left == 0 {
			bytes += e.bytes
			done++
		}
	}
	w.advance()
	return bytes, done
}

// advance moves the mark behind the done records at the front.
func (w *window) advance() {
	n := 0
	for n < len(w.entries) && w.entries[n].left == 0 {
		n++
	}
	if n > 0 {
		last := w.entries[n-1]
		w.mark, w.moved = kafka.Mark{Offset: last.offset + 1, Epoch: last.epoch}, true
		w.entries = w.entries[n:]
		w.head += uint64(n)
	}
	if w.idle != nil && w.head >= w.started {
		close(w.idle)
		w.idle = nil
	}
}

// marked gives the mark if it has moved since the last call.
func (w *window) marked() (kafka.Mark, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	moved := w.moved
	w.moved = false
	return w.mark, moved
}

// unmark takes back the last answer of marked, which could not be committed.
func (w *window) unmark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved = true
}

// set moves the mark by hand, for a partition whose records are not in the window.
func (w *window) set(m kafka.Mark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.fenced {
		w.mark, w.moved = m, true
	}
}

// fence makes the window deaf to whatever is said from now on.
func (w *window) fence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fenced = true
}

// settled gives a channel that is closed when everything started so far is done.
func (w *window) settled() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	idle := make(chan struct{})
	if w.head >= w.started {
		close(idle)
		return idle
	}
	w.idle = idle
	return idle
}
