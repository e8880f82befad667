package embedded

import "errors"

// ErrClosed: the broker has been closed.
var ErrClosed = errors.New("embedded broker is closed")

// Retained is how many bytes of these topics stand behind the log's start, which truncation moves: for a topic that is truncated as it is processed, what
// is not yet processed. The next start after a kill -9 needs about as much memory as all topics retain.
func (b *Broker) Retained(topics ...string) (int64, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return 0, ErrClosed
	}
	var sum int64
	for _, t := range topics {
		for _, p := range look(b.cluster, t) {
			sum += p.bytes
		}
	}
	return sum, nil
}

// OnDisk is how many bytes the segments of all topics take. A segment goes when its last record is behind the log's start, so this lags Retained by up to
// one segment a partition.
func (b *Broker) OnDisk() (int64, error) { return segmentBytes(b.opts.Dir) }
