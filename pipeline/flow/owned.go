package flow

import (
	"maps"
	"slices"
)

// numbers gives the partitions that are ours.
func (m *member) numbers() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.owned))
}

// get gives the owned partitions among some.
func (m *member) get(numbers []int32) []*partition {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []*partition
	for _, n := range numbers {
		if p, ok := m.owned[n]; ok {
			found = append(found, p)
		}
	}
	return found
}

// take is get, after which they are owned no more.
func (m *member) take(numbers []int32) []*partition {
	found := m.get(numbers)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range found {
		delete(m.owned, p.number)
	}
	return found
}

// all gives every owned partition.
func (m *member) all() []*partition { return m.get(m.numbers()) }
