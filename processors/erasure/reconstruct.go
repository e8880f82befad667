package erasure

import (
	"crypto/subtle"
	"errors"
	"fmt"

	"stripeline/schemas"
)

// ErrTooFewCells is returned when a wanted cell cannot be made from those that are there.
var ErrTooFewCells = errors.New("too few cells")

// ErrCellLength is returned for a cell that is not as long as its stripe's layout says.
var ErrCellLength = errors.New("cell of a wrong length")

// Reconstruct makes the cells whose indexes are in want from any k others. cells has n entries in order of index; one
// of length 0 is missing, or empty by the layout of a stripe of stripeLength data bytes, which counts as known. A
// wanted cell is written to cells[i]: into its capacity where that is enough for the first cell of the stripe,
// otherwise into a new buffer; for REP it is an alias of another cell. Wanted cells that are there stay as they are.
//
// Cells must have been checked: a wrong one gives wrong cells without an error, so compare what comes out with the
// stripe's CRC32C.
func (c *Coder) Reconstruct(policy schemas.Policy, cells [][]byte, stripeLength int, want []int) error {
	if len(cells) != policy.N() || stripeLength < 1 || stripeLength > policy.Stripe() {
		return fmt.Errorf("reconstruct %d cells of a stripe of %d bytes of %s: %w", len(cells), stripeLength, policy, ErrCellLength)
	}
	have := 0
	for i, cell := range cells {
		layout := policy.CellLength(i, stripeLength)
		if len(cell) != 0 && len(cell) != layout {
			return fmt.Errorf("reconstruct stripe of %d bytes of %s: %w: cell %d has %d bytes, not %d",
				stripeLength, policy, ErrCellLength, i, len(cell), layout)
		}
		if len(cell) == layout {
			have++
		}
	}
	missing := make([]int, 0, len(want))
	for _, i := range want {
		if len(cells[i]) != policy.CellLength(i, stripeLength) {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if have < policy.K {
		return fmt.Errorf("reconstruct stripe of %s: %w: %d of the %d that are needed", policy, ErrTooFewCells, have, policy.K)
	}
	coder, err := c.of(policy)
	if err != nil {
		return err
	}
	return coder.reconstruct(cells, stripeLength, missing)
}

func (c *policyCoder) reconstruct(cells [][]byte, stripeLength int, missing []int) error {
	length := c.policy.CellLength(0, stripeLength)
	switch c.policy.Scheme {
	case schemas.Replication:
		copyOf(cells, missing)
		return nil
	case schemas.XOR:
		for _, i := range missing {
			cells[i] = xorOf(cells, i, length)[:c.policy.CellLength(i, stripeLength)]
		}
		return nil
	}
	inputs, required := c.inputs(cells, stripeLength), make([]bool, len(cells))
	for _, i := range missing {
		required[i] = true
		inputs[i] = room(cells[i], length)
	}
	if err := c.rs.ReconstructSome(inputs, required); err != nil {
		return fmt.Errorf("reconstruct stripe of %s: %w", c.policy, err)
	}
	for _, i := range missing {
		cells[i] = inputs[i][:c.policy.CellLength(i, stripeLength)]
	}
	return nil
}

// inputs gives the cells that are there, all as long as the first: short ones copied, empty ones as zeros.
func (c *policyCoder) inputs(cells [][]byte, stripeLength int) [][]byte {
	length := c.policy.CellLength(0, stripeLength)
	inputs := make([][]byte, len(cells))
	var zeros []byte
	for i, cell := range cells {
		switch {
		case len(cell) == length:
			inputs[i] = cell[:length:length]
		case len(cell) > 0:
			inputs[i] = append(make([]byte, 0, length), cell...)[:length]
		case c.policy.CellLength(i, stripeLength) == 0:
			if zeros == nil {
				zeros = make([]byte, length)
			}
			inputs[i] = zeros
		}
	}
	return inputs
}

// room gives an empty slice with at least length bytes of capacity and never more than the caller gave.
func room(cell []byte, length int) []byte {
	if cap(cell) >= length {
		return cell[:0:length]
	}
	return make([]byte, 0, length)
}

func copyOf(cells [][]byte, missing []int) {
	var whole []byte
	for _, cell := range cells {
		if len(cell) > 0 {
			whole = cell
		}
	}
	for _, i := range missing {
		cells[i] = whole
	}
}

// xorOf gives the xor of the two cells other than i, as if both had length bytes.
func xorOf(cells [][]byte, i, length int) []byte {
	out := room(cells[i], length)[:length]
	clear(out)
	for j, cell := range cells {
		if j != i {
			subtle.XORBytes(out, out[:len(cell)], cell)
		}
	}
	return out
}
