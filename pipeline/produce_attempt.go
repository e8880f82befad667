package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
)

// attempt is a try at sending that ends with the first record that does not arrive.
type attempt struct {
	stop     context.CancelCauseFunc
	failure  atomic.Pointer[error]
	dropping atomic.Bool // records that do not arrive are meant not to
}

// try begins an attempt, which ends with stop.
func (r *rowRun) try(stop context.CancelCauseFunc) { r.trying.Store(&attempt{stop: stop}) }

// fail ends the attempt that is under way.
func (r *rowRun) fail(err error) {
	a := r.trying.Load()
	if a.dropping.Load() {
		return
	}
	a.failure.CompareAndSwap(nil, &err)
	a.stop(err)
}

// failed gives why a record did not arrive, nil while all did.
func (r *rowRun) failed() error {
	if err := r.trying.Load().failure.Load(); err != nil {
		return *err
	}
	return nil
}

// unsendable is why a text cannot be sent as a whole, be it the text's fault or that of what is known of its run: another text may be sent all the same.
type unsendable struct{ error }

// Unwrap gives the cause.
func (u *unsendable) Unwrap() error { return u.error }

// exhausted are errors of the machine that a file meets without having caused them.
var exhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM}

// ofText marks an error as the text's, unless ctx has ended or the machine is at its limits.
func ofText(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, kind := range exhausted {
		if errors.Is(err, kind) {
			return err
		}
	}
	return &unsendable{err}
}
