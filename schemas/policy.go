package schemas

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrBadPolicy is returned for text that names no policy.
var ErrBadPolicy = errors.New("not a policy")

// DefaultPolicy is the policy of a file for which none is named.
const DefaultPolicy = "RS-6-3-64k"

// Scheme is a way of making parity.
type Scheme string

// The schemes.
const (
	ReedSolomon Scheme = "RS"  // Cauchy matrix over GF(2^8), polynomial 0x11D, as HDFS and ISA-L
	XOR         Scheme = "XOR" // one parity cell, plain xor
	Replication Scheme = "REP" // plain copies: k = 1, m = r-1
)

// Policy says how a stripe becomes cells: K data cells of Cell bytes and M parity cells.
type Policy struct {
	Scheme Scheme
	K, M   int
	Cell   int // bytes, a multiple of ChunkSize
}

// replicaCell is the cell size of REP-r: one packet of 384 KiB, as large as the default policy's.
const replicaCell = 384 << 10

// ParsePolicy reads a policy's name: RS-<k>-<m>-<cell>k, XOR-2-1-<cell>k or REP-<copies>, cell in KiB.
// The error is ErrBadPolicy and says what is wrong.
func ParsePolicy(name string) (Policy, error) {
	parts := strings.Split(name, "-")
	numbers := make([]int, 0, 3)
	for i, part := range parts[1:] {
		if i == 2 {
			part = strings.TrimSuffix(part, "k")
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return Policy{}, badPolicy(name, "want RS-k-m-<cell>k, XOR-2-1-<cell>k or REP-r, as in "+DefaultPolicy)
		}
		numbers = append(numbers, n)
	}
	p := Policy{Scheme: Scheme(parts[0])}
	switch {
	case p.Scheme == Replication && len(numbers) == 1:
		p.K, p.M, p.Cell = 1, numbers[0]-1, replicaCell
	case (p.Scheme == ReedSolomon || p.Scheme == XOR) && len(numbers) == 3:
		p.K, p.M, p.Cell = numbers[0], numbers[1], numbers[2]<<10
	default:
		return Policy{}, badPolicy(name, "want RS-k-m-<cell>k, XOR-2-1-<cell>k or REP-r, as in "+DefaultPolicy)
	}
	if err := p.check(name); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func (p Policy) check(name string) error {
	switch {
	case p.Scheme == XOR && (p.K != 2 || p.M != 1):
		return badPolicy(name, "XOR has 2 data cells and 1 parity cell")
	case p.K < 1 || p.M < 0 || p.M == 0 && p.Scheme != Replication || p.K+p.M > 255:
		return badPolicy(name, "k and m must be at least 1, and k+m at most 255")
	case p.Cell < ChunkSize || p.Cell%ChunkSize != 0 || p.Cell > 16<<20:
		return badPolicy(name, "a cell is a multiple of 4k, at most 16384k")
	case p.String() != name:
		return badPolicy(name, "write it "+p.String())
	}
	return nil
}

func badPolicy(name, why string) error {
	return fmt.Errorf("parse policy %q: %w: %s", name, ErrBadPolicy, why)
}

// String gives the policy's name.
func (p Policy) String() string {
	if p.Scheme == Replication {
		return fmt.Sprintf("REP-%d", p.K+p.M)
	}
	return fmt.Sprintf("%s-%d-%d-%dk", p.Scheme, p.K, p.M, p.Cell>>10)
}

// N is the number of cells of a full stripe, and of targets that a block needs.
func (p Policy) N() int { return p.K + p.M }

// Stripe is the number of data bytes of a full stripe.
func (p Policy) Stripe() int { return p.K * p.Cell }

// Quorum is the least number of stored cells with which a write goes on once a target is given up: min(n, k+1).
func (p Policy) Quorum() int { return min(p.N(), p.K+1) }

// CellLength gives the bytes of the cell with the given index in a stripe of length data bytes. Data cells are
// filled in order; parity cells are as long as the first cell. An empty cell has no frame and counts as stored.
func (p Policy) CellLength(index, length int) int {
	if index >= p.K {
		index = 0
	}
	return max(0, min(p.Cell, length-index*p.Cell))
}
