// Package lawtest is in the processors room: it runs the three laws of the house on any stage or fold.
//
//	law                what is checked
//	deterministic      the same input gives the same output, error and state, also with other input in between
//	twice is once      a fold that hears a record again keeps its state, and says nothing new
//	arguments are lent an input is as it was after the call, and changing it later changes neither state nor
//	                   output of other calls; what a fold emitted stays as it was
//
// Values are compared by Dump: by content, through pointers and unexported fields; two functions are equal when
// both are nil or both are not, and nil and empty slices and maps are the same.
package lawtest

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// ErrUnlawful is in the chain of every breach that StageLaws and FoldLaws return.
var ErrUnlawful = errors.New("unlawful")

// Stage checks the laws of a stage with inputs that draw makes. Output may alias its own input.
func Stage[In, Out any](t *testing.T, stage func(In, func(Out)) error, draw func(*rapid.T) In) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		if err := StageLaws(stage, draw(t), draw(t)); err != nil {
			t.Fatal(err)
		}
	})
}

// FoldCase is a fold with what is needed to try it.
type FoldCase[S, In, Out any] struct {
	// New gives the state of a key that has heard nothing.
	New func() S
	// Fold is the fold; it may change its state in place.
	Fold func(s S, in In, emit func(Out)) (S, error)
	// History draws the records of one key, in order of delivery. Records that are refused with an error belong in it.
	History func(*rapid.T) []In
	// Key gives the key under which an output replaces the one before it, as on a compacted topic. A repeat may emit
	// only what is already the latest of its key. "" is an output that nothing replaces: a repeat must not emit it.
	// With Key nil a repeat must emit nothing.
	Key func(Out) string
	// View gives what is compared of a state, nil = all of it.
	View func(S) any
}

// Fold checks the laws of a fold: each drawn history is heard twice over, with records repeated at drawn places.
func Fold[S, In, Out any](t *testing.T, c FoldCase[S, In, Out]) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		history := c.History(t)
		if len(history) == 0 {
			return
		}
		repeats := rapid.SliceOfN(rapid.IntRange(0, len(history)-1), len(history), len(history)).Draw(t, "repeats")
		if err := FoldLaws(c, history, repeats); err != nil {
			t.Fatal(err)
		}
	})
}

func breach(law, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrUnlawful, law, fmt.Sprintf(format, args...))
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
