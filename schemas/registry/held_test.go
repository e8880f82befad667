package registry_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// heldLog gives its readers nothing until it is released.
type heldLog struct {
	*logtest.Memory
	release chan struct{}
}

func (l *heldLog) Follow(ctx context.Context, apply func([]registry.Record, int64) error) error {
	select {
	case <-l.release:
	case <-ctx.Done():
		return ctx.Err()
	}
	return l.Memory.Follow(ctx, apply)
}

// lateLog fails an append, on demand, that nevertheless takes effect: just before the next one.
type lateLog struct {
	*logtest.Memory
	delayNext atomic.Bool
	fail      atomic.Pointer[error]
	late      []registry.Record
}

var (
	errLost = errors.New("connection lost")
	errSlow = fmt.Errorf("append: %w", context.DeadlineExceeded)
)

func (l *lateLog) Append(ctx context.Context, term int64, records []registry.Record) (int64, error) {
	if err := l.fail.Load(); err != nil {
		return 0, *err
	}
	if l.delayNext.CompareAndSwap(true, false) {
		l.late = records
		return 0, errLost
	}
	if l.late != nil {
		if _, err := l.Memory.Append(ctx, term, l.late); err != nil {
			return 0, err
		}
		l.late = nil
	}
	return l.Memory.Append(ctx, term, records)
}
