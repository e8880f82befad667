package flow

import (
	"testing"

	"pgregory.net/rapid"

	"stripeline/pipeline/kafka"
)

// TestWindowMarksContiguousPrefix lets records be done in any order and compares the mark with a plain model.
func TestWindowMarksContiguousPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		n := rapid.IntRange(1, 60).Draw(t, "records")
		offset, offsets := int64(0), make([]int64, n)
		for i := range n {
			offset += int64(rapid.IntRange(1, 3).Draw(t, "gap"))
			offsets[i] = offset
			w.add(&kafka.Record{Offset: offset}, 1)
			w.start()
		}
		left := make([]int, n)
		var steps []uint64
		for i := range n {
			more := rapid.IntRange(0, 2).Draw(t, "more")
			w.hold(uint64(i), more)
			left[i] = more + 1
			for range more + 1 {
				steps = append(steps, uint64(i))
			}
		}
		for _, i := range rapid.Permutation(steps).Draw(t, "order") {
			w.settle(i)
			left[i]--
			done := 0
			for done < n && left[done] == 0 {
				done++
			}
			mark, _ := w.marked()
			if want := int64(0); done > 0 {
				want = offsets[done-1] + 1
				if mark.Offset != want {
					t.Fatalf("%d records done at the front: mark %d, want %d", done, mark.Offset, want)
				}
			} else if mark.Offset != 0 {
				t.Fatalf("nothing done at the front: mark %d", mark.Offset)
			}
		}
	})
}

func TestWindowFencedIgnoresLateDones(t *testing.T) {
	var w window
	for i := range int64(3) {
		w.add(&kafka.Record{Offset: i}, 10)
		w.start()
	}
	w.settle(0)
	w.fence()
	if bytes, done := w.settle(1, 2); bytes != 0 || done != 0 {
		t.Errorf("late done counted: %d bytes of %d records", bytes, done)
	}
	if mark, moved := w.marked(); !moved || mark.Offset != 1 {
		t.Errorf("mark %d, want 1: what was done before counts, what came after does not", mark.Offset)
	}
}

func TestWindowSettledWaitsForStartedOnly(t *testing.T) {
	var w window
	for i := range int64(4) {
		w.add(&kafka.Record{Offset: i}, 1)
	}
	w.start()
	w.start()
	settled := w.settled()
	w.settle(1)
	select {
	case <-settled:
		t.Fatal("settled while record 0 is under way")
	default:
	}
	w.settle(0)
	<-settled
	w.start()
	settled = w.settled()
	w.abandon()
	<-settled
}
