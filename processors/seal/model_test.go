package seal

import (
	"fmt"
	"maps"
	"slices"

	"stripeline/schemas"
)

// model is a block kept as sets of single stripes, for the policy RS-3-2-4k, and counted by trying everything.
type model struct {
	state   schemas.BlockState
	gen     schemas.Generation
	offset  int64
	stripes map[int32][]byte // content of each described stripe
	shards  map[string]*modelShard
	missing map[int32]bool
	length  int32 // stripes of the closed block
	last    bool
}

type modelShard struct {
	index  int32
	domain string
	held   map[int32]bool
	state  schemas.ShardState
}

func (m *model) closed() bool {
	return m.state == schemas.BlockSealed || m.state == schemas.BlockDegraded
}

func name(r *schemas.Receipt) string { return fmt.Sprintf("%d/%x", r.Index, r.Incarnation) }

func (m *model) found(ack *schemas.Ack, state schemas.BlockState) {
	*m = model{state: state, gen: ack.Generation, offset: -1, stripes: map[int32][]byte{}, shards: map[string]*modelShard{}, missing: map[int32]bool{}}
}

func (m *model) shard(r *schemas.Receipt, state schemas.ShardState) *modelShard {
	if m.shards[name(r)] == nil {
		m.shards[name(r)] = &modelShard{r.Index, r.Domain, map[int32]bool{}, state}
	}
	return m.shards[name(r)]
}

// hear folds an ack in; content gives the bytes that the ack's lengths and CRCs are of.
func (m *model) hear(ack *schemas.Ack, content func(int32) []byte) {
	switch ack.Kind {
	case schemas.AckReceipt:
		m.receipt(ack, content)
	case schemas.AckClose:
		m.close(ack)
	case schemas.AckDelete:
		if m.state == "" {
			m.found(ack, schemas.BlockDeleted)
		}
		m.state = schemas.BlockDeleted
		for _, s := range m.shards {
			if s.state == schemas.ShardKeep {
				s.state = schemas.ShardDrop
			}
		}
	case schemas.AckLoss, schemas.AckRemoved:
		m.lose(ack)
	}
	m.settle()
}

func (m *model) receipt(ack *schemas.Ack, content func(int32) []byte) {
	if m.state == "" {
		fresh := len(ack.Receipts) == 0 && len(ack.Missing) > 0
		for _, r := range ack.Receipts {
			fresh = fresh || !r.Repaired
		}
		if !fresh {
			return
		}
		m.found(ack, schemas.BlockOpen)
	}
	if m.state == schemas.BlockDeleted {
		for i := range ack.Receipts {
			m.shard(&ack.Receipts[i], schemas.ShardDrop)
		}
		return
	}
	if ack.Generation != m.gen {
		return
	}
	for _, r := range ack.Receipts {
		for i := r.First; i <= r.Last && !r.Repaired && !m.closed(); i++ {
			if m.stripes[i] == nil {
				m.stripes[i] = content(i)
			}
		}
	}
	for i := range ack.Receipts {
		r := &ack.Receipts[i]
		s := m.shard(r, schemas.ShardKeep)
		for stripe := r.First; stripe <= r.Last; stripe++ {
			known := m.stripes[stripe]
			if known != nil && string(known) == string(content(stripe)) && s.state == schemas.ShardKeep {
				s.held[stripe] = true
			}
		}
	}
	for _, index := range ack.Missing {
		m.missing[index] = true
	}
	if ack.First == 0 && m.stripes[0] != nil && string(m.stripes[0]) == string(content(0)) {
		m.offset = ack.Offset
	}
}

func (m *model) close(ack *schemas.Ack) {
	if m.closed() || m.state == schemas.BlockDeleted || m.state == schemas.BlockOpen && ack.Generation < m.gen {
		return
	}
	if m.state == "" {
		m.found(ack, schemas.BlockOpen)
	}
	if ack.Generation == m.gen {
		for _, index := range ack.Missing {
			m.missing[index] = true
		}
	}
	m.length = m.prefix(m.q())
	if ack.Stripes >= 0 {
		m.length = min(m.length, ack.Stripes)
	}
	m.last = ack.Last && (ack.Stripes < 0 || ack.Stripes == m.length)
	if ack.Stripes == 0 {
		m.offset = ack.Offset
	}
	maps.DeleteFunc(m.stripes, func(stripe int32, _ []byte) bool { return stripe >= m.length })
	for _, s := range m.shards {
		maps.DeleteFunc(s.held, func(stripe int32, _ bool) bool { return stripe >= m.length })
	}
	m.state = schemas.BlockDegraded
}

func (m *model) lose(ack *schemas.Ack) {
	deleted, removed := m.state == schemas.BlockDeleted, ack.Kind == schemas.AckRemoved
	if m.state == "" || !removed && (deleted || ack.Generation != m.gen) {
		return
	}
	for i := range ack.Receipts {
		r := &ack.Receipts[i]
		s := m.shards[name(r)]
		if s == nil && !removed {
			continue
		}
		s = m.shard(r, schemas.ShardRemoved)
		for stripe := range s.held {
			if removed || r.First <= stripe && stripe <= r.Last {
				delete(s.held, stripe)
				if s.state == schemas.ShardKeep {
					m.missing[s.index] = true
				}
			}
		}
		if removed {
			s.state = schemas.ShardRemoved
		}
	}
}

func (m *model) settle() {
	if m.closed() {
		m.state = schemas.BlockDegraded
		if m.prefix(5) == m.length {
			m.state = schemas.BlockSealed
		}
	}
}

func (m *model) q() int {
	if len(m.missing) > 0 {
		return 4
	}
	return 5
}

func (m *model) prefix(least int) int32 {
	for stripe := int32(0); ; stripe++ {
		if m.stripes[stripe] == nil || m.cells(stripe) < least {
			return stripe
		}
	}
}

func (m *model) cells(stripe int32) int {
	empty := 0
	domains := make([][]string, 5)
	for index := range int32(5) {
		if index < 3 && len(m.stripes[stripe]) <= int(index)*4096 {
			empty++
			continue
		}
		for _, s := range m.shards {
			if s.index == index && s.held[stripe] && s.state == schemas.ShardKeep {
				domains[index] = append(domains[index], s.domain)
			}
		}
	}
	return empty + best(domains, nil)
}

// best tries every way to give each index a domain of its own or none.
func best(domains [][]string, taken []string) int {
	if len(domains) == 0 {
		return len(taken)
	}
	most := best(domains[1:], taken)
	for _, d := range domains[0] {
		if !slices.Contains(taken, d) {
			most = max(most, best(domains[1:], append(slices.Clip(taken), d)))
		}
	}
	return most
}
