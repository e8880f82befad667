package seal

import (
	"fmt"
	"maps"
	"slices"

	"stripeline/schemas"
)

// compare says how a record differs from the model, which adopts the record's choice of shards to drop when it is sound.
func (m *model) compare(b *schemas.Block) error {
	if m.state == "" {
		if b.State != "" {
			return fmt.Errorf("a record of nothing: %s", describeBlock(b))
		}
		return nil
	}
	if err := m.adopt(b); err != nil {
		return err
	}
	if b.State != m.state || b.Generation != m.gen || b.Offset != m.offset || b.Last != m.last {
		return fmt.Errorf("want %s of %s at %d, last %t", m.state, m.gen, m.offset, m.last)
	}
	if missing := slices.Sorted(maps.Keys(m.missing)); !slices.Equal(missing, b.Missing) {
		return fmt.Errorf("want missing %d", missing)
	}
	if m.state == schemas.BlockDeleted {
		return nil
	}
	stored, full := m.prefix(m.q()), m.prefix(5)
	if b.Stored != stored || b.Full != full {
		return fmt.Errorf("want stored %d full %d", stored, full)
	}
	end := stored
	if m.closed() {
		end = m.length
		if b.Stripes() != end {
			return fmt.Errorf("want %d stripes", end)
		}
	}
	var content []byte
	for stripe := range end {
		content = append(content, m.stripes[stripe]...)
	}
	if b.Length != int64(len(content)) || b.CRC != schemas.CRC(content) {
		return fmt.Errorf("want length %d crc %08x", len(content), schemas.CRC(content))
	}
	for stripe := range b.Stripes() {
		if known := m.stripes[stripe]; int(b.StripeLength(stripe)) != len(known) || known != nil && b.StripeCRC(stripe) != schemas.CRC(known) {
			return fmt.Errorf("stripe %d: want length %d", stripe, len(known))
		}
	}
	return nil
}

func (m *model) adopt(b *schemas.Block) error {
	if len(b.Shards) != len(m.shards) {
		return fmt.Errorf("want %d shards", len(m.shards))
	}
	for i := range b.Shards {
		s := &b.Shards[i]
		want := m.shards[name(&schemas.Receipt{Index: s.Index, Incarnation: s.Incarnation})]
		if want == nil {
			return fmt.Errorf("shard %d/%s: want none", s.Index, s.Incarnation)
		}
		if m.state == schemas.BlockSealed && want.state == schemas.ShardKeep && s.State == schemas.ShardDrop {
			want.state, want.held = schemas.ShardDrop, map[int32]bool{}
		}
		if s.State != want.state || covered(s.Ranges) != len(want.held) {
			return fmt.Errorf("shard %d/%s: want %s with %d stripes", s.Index, s.Incarnation, want.state, len(want.held))
		}
		for stripe := range want.held {
			if !s.Holds(stripe) {
				return fmt.Errorf("shard %d/%s: want stripe %d", s.Index, s.Incarnation, stripe)
			}
		}
	}
	if m.state != schemas.BlockSealed {
		return nil
	}
	if m.prefix(5) != m.length {
		return fmt.Errorf("dropped too much")
	}
	return m.spare()
}

// spare finds a kept shard that is not needed though another has its index, or it has nothing.
func (m *model) spare() error {
	indexes := map[int32]int{}
	for _, s := range m.shards {
		if s.state == schemas.ShardKeep {
			indexes[s.index]++
		}
	}
	for name, s := range m.shards {
		if s.state != schemas.ShardKeep || len(s.held) > 0 && indexes[s.index] < 2 {
			continue
		}
		s.state = schemas.ShardDrop
		spare := m.prefix(5) == m.length
		s.state = schemas.ShardKeep
		if spare {
			return fmt.Errorf("shard %s is kept and not needed", name)
		}
	}
	return nil
}
