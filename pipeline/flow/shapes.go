package flow

import "context"

// Stage turns one value into any number of others. It has no memory: same in, same out. An error that is a
// schemas.Rejection means that the data is wrong; any other that we, or the world, are, and the stage is run again.
type Stage[In, Out any] func(in In, emit func(Out)) error

// Fold takes one value into the memory of its key and gives the memory as it is then. Hearing a value twice changes
// nothing. It must not change s in place when it returns a Rejection.
type Fold[S, In, Out any] func(s S, in In, emit func(Out)) (S, error)

// Source gives values from outside, and io.EOF after the last.
type Source[Out any] interface {
	Next(ctx context.Context) (Out, error)
	Close() error
}

// Sink makes values durable outside. It belongs to one partition.
//
// Put is called by one goroutine, also while a Flush runs. Flush makes durable everything whose Put returned before Flush
// was called and emits what it learned, from its own goroutine and before it returns. After an error from Flush what was
// emitted stays valid, the sink keeps the rest, and it is flushed again after a pause; nil says that everything put
// before is durable. A Put that fails is tried again after a pause, unless the error is a schemas.Rejection.
type Sink[In, Out any] interface {
	Put(ctx context.Context, in In) error
	Flush(ctx context.Context, emit func(Out)) error
	Close() error
}
