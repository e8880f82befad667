package pipeline

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"stripeline/pipeline/kafka"
)

// slowOutlet notes what it is given; while it is full it takes nothing until a record's context ends, as the client does.
type slowOutlet struct {
	outlet
	full    atomic.Bool
	seen    []string
	settled int // records seen before the last settle
	closed  bool
}

func (o *slowOutlet) Produce(ctx context.Context, r *kafka.Record, done func(*kafka.Record, error)) {
	if o.full.Load() {
		<-ctx.Done()
	}
	o.seen = append(o.seen, string(r.Value))
	done(r, ctx.Err())
}

func (o *slowOutlet) settle(context.Context, *kafka.Record) error {
	o.settled = len(o.seen)
	return nil
}
func (o *slowOutlet) Buffered() int64 { return 0 }
func (o *slowOutlet) Close()          { o.closed = true }

func TestAheadKeepsTheOrderAndSettlesWhatCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowOutlet{}
		o := sendAhead(slow)
		const count = 2*recordBatchesAhead*recordsAtOnce + 7
		for i := range count {
			o.Produce(t.Context(), &kafka.Record{Value: strconv.AppendInt(nil, int64(i), 10)}, func(_ *kafka.Record, err error) {
				if err != nil {
					t.Error(err)
				}
			})
		}
		if err := o.settle(t.Context(), nil); err != nil || slow.settled != count {
			t.Fatalf("settled behind %d records of %d: %v", slow.settled, count, err)
		}
		for i, value := range slow.seen {
			if value != strconv.Itoa(i) {
				t.Fatalf("record %d is %s", i, value)
			}
		}
		o.Close()
		if !slow.closed {
			t.Error("the outlet is open")
		}
	})
}

func TestAheadIsBoundedAndCloseLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowOutlet{}
		slow.full.Store(true)
		o := sendAhead(slow)
		var given, failed atomic.Int64
		all := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer close(all)
			for range 8 {
				o.Produce(ctx, &kafka.Record{Value: make([]byte, recordBatchesAhead*bytesAtOnce/2)}, func(_ *kafka.Record, err error) {
					if err != nil {
						failed.Add(1)
					}
				})
				given.Add(1)
			}
		}()
		synctest.Wait()
		if n := given.Load(); n < 1 || n > 3 {
			t.Errorf("%d records of half the bound were taken by an outlet that takes none", n)
		}
		cancel()
		<-all
		o.Close()
		if failed.Load() != 8 || !slow.closed {
			t.Errorf("%d of 8 records were told of their end; closed: %v", failed.Load(), slow.closed)
		}
	})
}
