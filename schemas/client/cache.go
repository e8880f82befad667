package client

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const forever = time.Duration(math.MaxInt64)

// mostAbsent bounds how many absences are remembered: their keys may come from anywhere.
const mostAbsent = 10_000

// cache keeps what was found for one time and what was not for another, and has one request per key in flight.
type cache[T any] struct {
	ttl, negativeTTL time.Duration
	flights          singleflight.Group
	mu               sync.Mutex
	found            map[string]entry[T]
	absent           map[string]entry[error]
	forgotten        int // calls of forget: what was asked before one is not noted after it
}

type entry[T any] struct {
	value T
	since time.Time
}

func newCache[T any](ttl, negativeTTL time.Duration) *cache[T] {
	return &cache[T]{ttl: ttl, negativeTTL: negativeTTL, found: map[string]entry[T]{}, absent: map[string]entry[error]{}}
}

// get returns what is kept under a key, or asks. A caller that goes away does not stop the request for the others.
func (c *cache[T]) get(ctx context.Context, key string, ask func(context.Context) (T, error)) (T, error) {
	if value, err, ok := c.kept(key); ok {
		return value, err
	}
	flight := c.flights.DoChan(key, func() (any, error) {
		if value, err, ok := c.kept(key); ok {
			return value, err
		}
		before := c.epoch()
		value, err := ask(context.WithoutCancel(ctx))
		if c.epoch() == before {
			c.note(key, value, err)
		}
		return value, err
	})
	var none T
	select {
	case done := <-flight:
		if done.Err != nil {
			return none, done.Err
		}
		return done.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (c *cache[T]) kept(key string) (value T, err error, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, found := c.found[key]; found && time.Since(e.since) < c.ttl {
		return e.value, nil, true
	}
	if e, absent := c.absent[key]; absent && time.Since(e.since) < c.negativeTTL {
		return value, e.value, true
	}
	return value, nil, false
}

func (c *cache[T]) note(key string, value T, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.found[key] = entry[T]{value, time.Now()}
		delete(c.absent, key)
	case errors.Is(err, ErrNotFound):
		if len(c.absent) >= mostAbsent {
			clear(c.absent)
		}
		c.absent[key] = entry[error]{err, time.Now()}
		delete(c.found, key)
	}
}

func (c *cache[T]) put(key string, value T) { c.note(key, value, nil) }

func (c *cache[T]) epoch() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgotten
}

// forget makes the next get ask, even while a request is in flight that began before.
func (c *cache[T]) forget(key string) {
	c.mu.Lock()
	delete(c.found, key)
	delete(c.absent, key)
	c.forgotten++
	c.mu.Unlock()
	c.flights.Forget(key)
}
