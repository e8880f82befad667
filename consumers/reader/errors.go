package reader

import (
	"errors"
	"fmt"
	"strings"

	"stripeline/schemas"
)

// Errors of Open and of reading.
var (
	// ErrIncomplete is returned for a path without committed content, and for a block that is not closed.
	ErrIncomplete = errors.New("incomplete: the content is not closed")
	// ErrReplaced is returned for a block that was deleted: the path has other content by now, or none.
	ErrReplaced = errors.New("replaced: the block was deleted; open the path again")
	// ErrLost is what a LostError is.
	ErrLost = errors.New("too many cells are gone")
	// ErrDisagree is returned when catalog entry and block records contradict one another.
	ErrDisagree = errors.New("catalog and block record disagree")
	// ErrChecksum is returned by WriteTo behind the last byte when the whole differs from the entry's CRC32C.
	ErrChecksum = errors.New("content differs from the catalog's checksum")
	// ErrHung is a shard that did not answer within Options.Deadline.
	ErrHung = errors.New("no answer")
	// ErrStrange is a frame or shard that is whole but not the one that was looked for: swapped, stale, misplaced.
	ErrStrange = errors.New("belongs elsewhere")
)

// Fault says why one shard did not help with a stripe.
type Fault struct {
	Index       int
	Target      schemas.TargetID
	Incarnation schemas.Incarnation
	Reason      error
}

// LostError says that a stripe cannot be read: fewer than k of its cells are there, or what they give is not what was
// written. It is ErrLost. None of the stripe's bytes were handed out.
type LostError struct {
	Path   string
	Block  schemas.BlockID
	Stripe int32
	Policy schemas.Policy
	Have   int     // cells that are there, empty ones included
	Faults []Fault // in order of index
	Reason string  // why enough cells were not enough; else empty
}

// Error gives one line with the block, the stripe, and each index and target that is missing or damaged.
func (e *LostError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "read %s: block %s, stripe %d: %v: ", e.Path, e.Block, e.Stripe, ErrLost)
	if e.Reason != "" {
		b.WriteString(e.Reason)
	} else {
		fmt.Fprintf(&b, "%d of %d are left, %s needs %d", e.Have, e.Policy.N(), e.Policy, e.Policy.K)
	}
	for _, f := range e.Faults {
		if f.Target == (schemas.TargetID{}) {
			fmt.Fprintf(&b, "; index %d: %v", f.Index, f.Reason)
			continue
		}
		fmt.Fprintf(&b, "; index %d on target %s: %v", f.Index, f.Target, f.Reason)
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// Unwrap gives ErrLost.
func (e *LostError) Unwrap() error { return ErrLost }
