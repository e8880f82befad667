package reader

import "sync"

// buffers keeps read buffers for their next use. Those that a hung shard still holds are left to the collector.
type buffers struct {
	mu   sync.Mutex
	free [][]byte
	kept int // bytes in free
}

const keptBuffers = 32 << 20 // bytes

// take gives a buffer of n bytes with any content.
func (b *buffers) take(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, buf := range b.free {
		if cap(buf) >= n && cap(buf) <= 2*n {
			last := len(b.free) - 1
			b.free[i], b.free[last] = b.free[last], nil
			b.free = b.free[:last]
			b.kept -= cap(buf)
			return buf[:n]
		}
	}
	return make([]byte, n)
}

// give takes buffers back that nobody looks at any more.
func (b *buffers) give(bufs [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, buf := range bufs {
		if b.kept+cap(buf) <= keptBuffers {
			b.free = append(b.free, buf)
			b.kept += cap(buf)
		}
	}
}
