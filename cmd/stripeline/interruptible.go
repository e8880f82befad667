package main

import (
	"context"
	"io"
)

// interruptible is a reader of a pipe or a terminal whose Read returns when its context ends, although the one below it
// still waits: nothing can end a read of another program's silence.
type interruptible struct {
	ctx  context.Context
	full chan piece
	free chan []byte
	left piece
	used []byte
}

type piece struct {
	data []byte
	err  error
}

// newInterruptible begins to read ahead, two pieces at most.
func newInterruptible(ctx context.Context, in io.Reader) *interruptible {
	r := &interruptible{ctx: ctx, full: make(chan piece), free: make(chan []byte, 2)}
	for range cap(r.free) {
		r.free <- make([]byte, 256<<10)
	}
	go r.run(in)
	return r
}

func (r *interruptible) run(in io.Reader) {
	for {
		var space []byte
		select {
		case space = <-r.free:
		case <-r.ctx.Done():
			return
		}
		n, err := in.Read(space)
		select {
		case r.full <- piece{space[:n], err}:
		case <-r.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Read gives what is there, or waits for it or for the end of the context.
func (r *interruptible) Read(b []byte) (int, error) {
	for len(r.left.data) == 0 {
		if r.left.err != nil {
			return 0, r.left.err
		}
		if r.used != nil {
			r.free <- r.used
			r.used = nil
		}
		select {
		case r.left = <-r.full:
			r.used = r.left.data[:cap(r.left.data)]
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	n := copy(b, r.left.data)
	r.left.data = r.left.data[n:]
	return n, nil
}
