package embedded

import (
	"context"
	"sync"
	"time"
)

const (
	heldFrame = 64 << 10              // larger produce requests are held while the log is full: acks and commands are smaller
	fullEvery = 20 * time.Millisecond // between two looks at what the log retains
)

// fullness holds large produce requests while the capped topics retain more than they may: the next start after a kill -9
// needs as much memory as the log has bytes. Who is held waits for his answer; nothing is refused.
type fullness struct {
	mu    sync.Mutex
	freed chan struct{} // closed when there is room again; nil while there is
}

// set says whether the log is full, and gives true when that is news.
func (f *fullness) set(retained, most int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch full := retained > most; {
	case full && f.freed == nil:
		f.freed = make(chan struct{})
		return true
	case !full && f.freed != nil:
		close(f.freed)
		f.freed = nil
		return true
	}
	return false
}

// wait returns when there is room, or when the gate is closed.
func (f *fullness) wait(closed <-chan struct{}) {
	f.mu.Lock()
	freed := f.freed
	f.mu.Unlock()
	if freed == nil {
		return
	}
	select {
	case <-freed:
	case <-closed:
	}
}

// watchFullness looks at the capped topics until ctx ends, and then lets everybody through.
func (b *Broker) watchFullness(ctx context.Context) {
	defer close(b.watched)
	defer b.gate.full.set(0, 1)
	if b.opts.LogMax == 0 {
		return
	}
	tick := time.NewTicker(fullEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		retained, err := b.Retained(b.opts.Capped...)
		if err == nil && b.gate.full.set(retained, b.opts.LogMax) {
			b.opts.Logger.Info("large writes are held while the log is full", "retained", retained, "log_max", b.opts.LogMax)
		}
	}
}
