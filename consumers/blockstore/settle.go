package blockstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// missing gives the indexes of which a data packet has no receipt, though their cells are not empty.
func (p *pending) missing() []int32 {
	var indexes []int32
	for index, got := range p.got {
		if !got && len(p.stripe.Cells[index]) > 0 {
			indexes = append(indexes, int32(index))
		}
	}
	return indexes
}

// settled says whether a data packet has enough receipts: all, or the quorum. After a Flush every index without one is
// given up, because its write has ended and it is not durable.
func (p *pending) settled() bool {
	missing := len(p.missing())
	return missing == 0 || p.stripe.Policy.N()-missing >= p.stripe.Policy.Quorum()
}

// waits says why a packet is not done.
func (p *pending) waits() error {
	if !p.data() {
		return fmt.Errorf("flush %s: %w: stripes before it wait", &p.stripe.Packet, ErrBelowQuorum)
	}
	var reasons error
	missing := p.missing()
	for _, index := range missing {
		switch t := p.block.targets[index]; {
		case t == nil:
			reasons = errors.Join(reasons, fmt.Errorf("index %d has no target", index))
		case t.trouble() != nil:
			reasons = errors.Join(reasons, t.trouble())
		default:
			reasons = errors.Join(reasons, fmt.Errorf("%s: not written yet", filepath.Base(t.dir)))
		}
	}
	n := p.stripe.Policy.N()
	return fmt.Errorf("flush %s: %w: %d of %d cells are stored, %d are needed: %w", &p.stripe.Packet, ErrBelowQuorum,
		n-len(missing), n, p.stripe.Policy.Quorum(), oneLine{reasons})
}

// oneLine is a joined error on one line.
type oneLine struct{ error }

// Error gives the causes, separated by semicolons.
func (e oneLine) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }

// Unwrap gives the joined error.
func (e oneLine) Unwrap() error { return e.error }
