package flow

import (
	"context"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// TestBudgetNeverExceeded plays a poll loop that takes what a poll may bring at most, against partitions that give back
// at random, and looks at both promises: the whole below its limit, each partition below half.
func TestBudgetNeverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		brokers := rapid.IntRange(1, 3).Draw(t, "brokers")
		b := newBudget(int64(rapid.IntRange(1<<10, 64<<20).Draw(t, "limit")), brokers)
		paused := map[int32]bool{}
		b.pause = func(p int32) { paused[p] = true }
		b.resume = func(p int32) { paused[p] = false }
		shares := []*share{{b: b, partition: 0}, {b: b, partition: 1}, {b: b, partition: 2}}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			s := shares[rapid.IntRange(0, 2).Draw(t, "partition")]
			if rapid.Bool().Draw(t, "give") {
				s.give(rapid.Int64Range(0, s.held).Draw(t, "bytes"))
			} else if b.fits() && !paused[s.partition] {
				s.take(min(b.chunk, b.reserve))
			}
			if used, _ := b.gauge(); used > b.limit {
				t.Fatalf("%d of %d bytes in use", used, b.limit)
			}
			if s.held > b.limit/2 {
				t.Fatalf("partition holds %d of %d bytes", s.held, b.limit)
			}
		}
	})
}

func TestBudgetBlocksUntilGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1<<20, 1)
		s := &share{b: b}
		s.take(1 << 20)
		passed := make(chan bool, 1)
		go func() { passed <- b.room(context.Background()) }()
		synctest.Wait()
		if len(passed) > 0 {
			t.Fatal("there was room in a spent budget")
		}
		s.give(1 << 19)
		if !<-passed {
			t.Fatal("no room after bytes were given back")
		}
	})
}

func TestClosedShareTakesNothing(t *testing.T) {
	b := newBudget(1<<20, 1)
	s := &share{b: b}
	s.take(100)
	s.close()
	s.take(100)
	s.give(100)
	if used, _ := b.gauge(); used != 0 {
		t.Errorf("%d bytes in use after the partition has gone", used)
	}
}
