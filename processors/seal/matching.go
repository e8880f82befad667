package seal

import "slices"

// matching finds the largest number of pairs of distinct index and distinct domain among those added: a maximum
// matching of a bipartite graph by augmenting paths (Kuhn 1955). When no index and no domain was added twice, which is
// nearly always, it is the number added.
type matching struct {
	domains [][]int32 // of each index
	owner   []int32   // index of each domain, -1 = none
	tried   []bool    // domains seen in the current search
	indexes []int32   // with at least one domain
	doubled bool      // an index or a domain was added twice
}

func newMatching(indexes, domains int) matching {
	return matching{domains: make([][]int32, indexes), owner: make([]int32, domains), tried: make([]bool, domains)}
}

func (m *matching) reset() {
	for _, index := range m.indexes {
		m.domains[index] = m.domains[index][:0]
	}
	for i := range m.owner {
		m.owner[i] = -1
	}
	m.indexes, m.doubled = m.indexes[:0], false
}

func (m *matching) add(index, domain int32) {
	if len(m.domains[index]) == 0 {
		m.indexes = append(m.indexes, index)
	} else {
		m.doubled = true
	}
	if m.owner[domain] >= 0 {
		m.doubled = true
	}
	m.owner[domain] = index
	m.domains[index] = append(m.domains[index], domain)
}

func (m *matching) size() int {
	if !m.doubled {
		return len(m.indexes)
	}
	for i := range m.owner {
		m.owner[i] = -1
	}
	pairs := 0
	for _, index := range m.indexes {
		clear(m.tried)
		if m.place(index) {
			pairs++
		}
	}
	return pairs
}

// place finds a domain for the index, moving others where that makes room.
func (m *matching) place(index int32) bool {
	return slices.ContainsFunc(m.domains[index], func(domain int32) bool {
		if m.tried[domain] {
			return false
		}
		m.tried[domain] = true
		if m.owner[domain] >= 0 && !m.place(m.owner[domain]) {
			return false
		}
		m.owner[domain] = index
		return true
	})
}
