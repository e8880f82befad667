// Package erasure is in the processors room: it makes the cells of a stripe from a packet, and missing cells from the
// others.
//
//	scheme  parity
//	RS      Cauchy matrix over GF(2^8), polynomial 0x11D: row r (from k), column j is 1/(r xor j); as HDFS and ISA-L
//	XOR     plain xor of the two data cells
//	REP     the data cell itself
//
// Data cells are filled in order; parity cells are as long as the first cell. Shorter data cells count as filled with
// zeros, inside this package only.
package erasure

import (
	"crypto/subtle"
	"fmt"
	"sync"

	"github.com/klauspost/reedsolomon"

	"stripeline/schemas"
)

// Coder makes cells. It keeps matrices and buffers that were given back, and is safe for concurrent use.
type Coder struct {
	mu     sync.Mutex
	coders map[schemas.Policy]*policyCoder
}

// New makes a Coder.
func New() *Coder { return &Coder{coders: make(map[schemas.Policy]*policyCoder)} }

// Stage makes the stripe of a verified packet: data cells are slices of its payload and their checksums slices of the
// packet's; parity and its checksums lie in a pooled buffer that the stripe's Release gives back. END and FENCE
// packets become a stripe without cells. An unknown policy is a Reject.
func (c *Coder) Stage(p schemas.Packet, emit func(schemas.Stripe)) error {
	policy, err := schemas.ParsePolicy(p.Policy)
	if err != nil {
		return schemas.Reject("policy", fmt.Sprintf("%s: %v", &p, err))
	}
	s := schemas.Stripe{Packet: p, Policy: policy}
	if p.Kind == schemas.PacketData {
		if len(p.Payload) < 1 || len(p.Payload) > policy.Stripe() || len(p.Checksums) != 4*schemas.Chunks(len(p.Payload)) {
			return schemas.Reject("length", fmt.Sprintf("%s: %d bytes of payload and %d of checksums do not fit %s",
				&p, len(p.Payload), len(p.Checksums), policy))
		}
		coder, err := c.of(policy)
		if err != nil {
			return err
		}
		coder.stripe(&s)
	}
	emit(s)
	return nil
}

func (c *Coder) of(policy schemas.Policy) (*policyCoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if coder := c.coders[policy]; coder != nil {
		return coder, nil
	}
	coder := &policyCoder{policy: policy}
	if policy.Scheme == schemas.ReedSolomon {
		rs, err := reedsolomon.New(policy.K, policy.M, reedsolomon.WithCauchyMatrix(), reedsolomon.WithMaxGoroutines(1))
		if err != nil {
			return nil, fmt.Errorf("make coder of %s: %w", policy, err)
		}
		coder.rs = rs
	}
	c.coders[policy] = coder
	return coder, nil
}

// policyCoder makes the cells of one policy.
type policyCoder struct {
	policy  schemas.Policy
	rs      reedsolomon.Encoder // of RS, else nil
	buffers sync.Pool           // of *buffer
}

// buffer holds the parity of one stripe, its checksums and the lists of a stripe's cells.
type buffer struct {
	parity, sums []byte
	cells, lists [][]byte
	padded       []byte // data cells filled up with zeros; nil until a short stripe needs it
}

func (c *policyCoder) take() *buffer {
	if b, ok := c.buffers.Get().(*buffer); ok {
		return b
	}
	n, parity := c.policy.N(), 0
	if c.policy.Scheme != schemas.Replication {
		parity = c.policy.M
	}
	return &buffer{parity: make([]byte, parity*c.policy.Cell), cells: make([][]byte, n), lists: make([][]byte, n),
		sums: make([]byte, 0, 4*parity*c.policy.Cell/schemas.ChunkSize)}
}

// stripe fills in cells, checksums and Free.
func (c *policyCoder) stripe(s *schemas.Stripe) {
	b := c.take()
	s.Cells, s.Sums = b.cells, b.lists
	s.Free = func() {
		clear(b.cells)
		clear(b.lists)
		c.buffers.Put(b)
	}
	c.dataCells(s)
	if c.policy.Scheme == schemas.Replication {
		for i := 1; i < len(s.Cells); i++ {
			s.Cells[i], s.Sums[i] = s.Cells[0], s.Sums[0]
		}
		return
	}
	c.parity(s.Cells, b)
	sums := b.sums[:0]
	for i := c.policy.K; i < len(s.Cells); i++ {
		start := len(sums)
		sums = schemas.AppendSums(sums, s.Cells[i])
		s.Sums[i] = sums[start:len(sums):len(sums)]
	}
}

func (c *policyCoder) dataCells(s *schemas.Stripe) {
	payload, sums, cell := s.Packet.Payload, s.Packet.Checksums, c.policy.Cell
	for i := range c.policy.K {
		s.Cells[i], s.Sums[i] = nil, nil
		if from, to := min(i*cell, len(payload)), min((i+1)*cell, len(payload)); from < to {
			s.Cells[i] = payload[from:to:to]
			s.Sums[i] = sums[4*from/schemas.ChunkSize : 4*schemas.Chunks(to) : 4*schemas.Chunks(to)]
		}
	}
}

// parity computes the parity cells of the data cells in cells.
func (c *policyCoder) parity(cells [][]byte, b *buffer) {
	length := len(cells[0])
	for i := c.policy.K; i < len(cells); i++ {
		from := (i - c.policy.K) * length
		cells[i] = b.parity[from : from+length : from+length]
	}
	if c.policy.Scheme == schemas.XOR {
		n := copy(cells[2], cells[0])
		subtle.XORBytes(cells[2], cells[2][:min(n, len(cells[1]))], cells[1])
		return
	}
	inputs := cells
	if len(cells[c.policy.K-1]) < length {
		inputs = c.pad(cells, b)
	}
	if err := c.rs.Encode(inputs); err != nil {
		panic("erasure: internal error: " + err.Error())
	}
}

// pad gives the cells with short data cells filled up with zeros in the buffer.
func (c *policyCoder) pad(cells [][]byte, b *buffer) [][]byte {
	length := len(cells[0])
	if b.padded == nil {
		b.padded = make([]byte, 2*c.policy.Cell)
	}
	clear(b.padded)
	zeros, partial := b.padded[:length:length], b.padded[c.policy.Cell:c.policy.Cell+length]
	inputs := append(make([][]byte, 0, len(cells)), cells...)
	for i := range c.policy.K {
		switch n := len(cells[i]); {
		case n == 0:
			inputs[i] = zeros
		case n < length:
			copy(partial, cells[i])
			inputs[i] = partial
		}
	}
	return inputs
}
