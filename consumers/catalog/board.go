package catalog

import (
	"context"
	"sync"
)

// board guards a view and lets goroutines wait for changes of single keys.
type board[K comparable] struct {
	mu    sync.RWMutex
	calls map[K]*call
}

// call is closed by the next change of its key.
type call struct {
	changed chan struct{}
	waiting int
}

// change makes a change of a key and wakes those who wait for it.
func (b *board[K]) change(key K, do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
	if c := b.calls[key]; c != nil {
		close(c.changed)
		delete(b.calls, key)
	}
}

// await returns once holds, asked at first and after each change of the key, is true, or with the reason why ctx ended.
func (b *board[K]) await(ctx context.Context, key K, holds func() bool) error {
	for {
		c := b.join(key, holds)
		if c == nil {
			return nil
		}
		select {
		case <-c.changed:
		case <-ctx.Done():
			b.leave(key, c)
			return context.Cause(ctx)
		}
	}
}

// join gives the call to wait for, nil when holds is true already.
func (b *board[K]) join(key K, holds func() bool) *call {
	b.mu.Lock()
	defer b.mu.Unlock()
	if holds() {
		return nil
	}
	c := b.calls[key]
	if c == nil {
		if b.calls == nil {
			b.calls = make(map[K]*call)
		}
		c = &call{changed: make(chan struct{})}
		b.calls[key] = c
	}
	c.waiting++
	return c
}

func (b *board[K]) leave(key K, c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.waiting--; c.waiting == 0 && b.calls[key] == c {
		delete(b.calls, key)
	}
}
