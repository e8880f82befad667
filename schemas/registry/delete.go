package registry

import (
	"context"
	"maps"
	"slices"
)

// permanence says what a delete leaves behind.
type permanence bool

const (
	soft      permanence = false
	permanent permanence = true
)

// deleteSubject deletes a subject's versions and returns their numbers.
func (r *Registry) deleteSubject(ctx context.Context, name string, how permanence) ([]int, error) {
	numbers := []int{}
	err := r.write(ctx, func() (records []Record, err error) {
		err = r.view(func(s *state) (err error) {
			if err := s.writable(name); err != nil {
				return err
			}
			var gone []*version
			if how == soft {
				records, gone, err = s.planSoftDelete(name)
			} else {
				records, gone, err = s.planPurge(name)
			}
			for _, v := range gone {
				numbers = append(numbers, v.number)
			}
			return err
		})
		return records, err
	})
	return numbers, err
}

func (s *state) planSoftDelete(name string) ([]Record, []*version, error) {
	live := s.versions(name, liveOnly)
	if len(live) == 0 {
		if s.subjects[name] != nil {
			return nil, nil, faultf(40404, "Subject '%s' was soft deleted.Set permanent=true to delete permanently", name)
		}
		return nil, nil, subjectNotFound(name)
	}
	if err := s.unreferenced(live, liveOnly); err != nil {
		return nil, nil, err
	}
	last := live[len(live)-1].number
	return []Record{{Key: scopeKey(keyDeleteSubject, name), Value: marshal(deleteValue{name, last})}}, live, nil
}

func (s *state) planPurge(name string) ([]Record, []*version, error) {
	all := s.versions(name, withDeleted)
	if len(all) == 0 {
		return nil, nil, subjectNotFound(name)
	}
	if len(s.versions(name, liveOnly)) > 0 {
		return nil, nil, faultf(40405, "Subject '%s' was not deleted first before being permanently deleted", name)
	}
	if err := s.unreferenced(all, withDeleted); err != nil {
		return nil, nil, err
	}
	return s.purge(all), all, nil
}

// unreferenced refuses to delete versions of one subject that another subject's versions reference.
func (s *state) unreferenced(gone []*version, see visibility) error {
	for _, v := range gone {
		for _, user := range s.users(target{v.subject, v.number}, see) {
			if !slices.Contains(gone, user) {
				return referenced(v.subject, v.number)
			}
		}
	}
	return nil
}

// purge makes the records that forget versions for good, after those that remember their ids. The ids of a context are
// remembered in one go, so that no record of them undoes another.
func (s *state) purge(gone []*version) []Record {
	byContext, bySubject := map[string][]*version{}, map[string][]*version{}
	for _, v := range gone {
		ctx := contextOf(v.subject)
		byContext[ctx] = append(byContext[ctx], v)
		bySubject[v.subject] = append(bySubject[v.subject], v)
	}
	var records []Record
	for _, ctx := range slices.Sorted(maps.Keys(byContext)) {
		records = append(records, s.remember(ctx, byContext[ctx])...)
	}
	for _, name := range slices.Sorted(maps.Keys(bySubject)) {
		records = append(records, s.tombstones(name, bySubject[name])...)
	}
	return records
}

// tombstones removes versions of one subject. With its last version a subject loses its own config and mode.
func (s *state) tombstones(name string, gone []*version) []Record {
	var records []Record
	for _, v := range gone {
		records = append(records, Record{Key: schemaKey(name, v.number)})
		if v.oddKey != nil {
			records = append(records, Record{Key: v.oddKey})
		}
	}
	if len(gone) < len(s.versions(name, withDeleted)) {
		return records
	}
	if s.configs[name] != nil {
		records = append(records, Record{Key: scopeKey(keyConfig, name)})
	}
	if _, ok := s.modes[name]; ok {
		records = append(records, Record{Key: scopeKey(keyMode, name)})
	}
	return records
}

// pageSize is how many ids one STRIPELINE_IDS record holds: about 300 KB.
const pageSize = 8192

// remember makes the STRIPELINE_IDS records that keep the ids of versions which are about to be forgotten.
func (s *state) remember(ctx string, gone []*version) []Record {
	sp := s.peek(ctx)
	known := func(h hash) bool {
		return slices.ContainsFunc(sp.pages, func(p map[hash]int) bool { _, ok := p[h]; return ok })
	}
	number := max(len(sp.pages)-1, 0)
	page := map[hash]int{}
	if len(sp.pages) > 0 {
		maps.Copy(page, sp.pages[number])
	}
	var records []Record
	flush := func() {
		records = append(records, Record{Key: idsKey(ctx, number), Value: idsRecord(ctx, sp.maxID, page)})
	}
	for _, v := range gone {
		if known(v.content.sum) {
			continue
		}
		if len(page) >= pageSize {
			flush()
			number, page = number+1, map[hash]int{}
		}
		page[v.content.sum] = v.id
	}
	flush()
	return records
}

func idsRecord(ctx string, maxID int, page map[hash]int) []byte {
	value := idsValue{Context: ctx, MaxID: maxID, IDs: make(map[string]int, len(page))}
	for h, id := range page {
		value.IDs[h.String()] = id
	}
	return marshal(value)
}

// deleteVersion deletes one version, given by number or as the latest, and returns its number.
func (r *Registry) deleteVersion(ctx context.Context, name, spec string, how permanence) (int, error) {
	var number int
	err := r.write(ctx, func() (records []Record, err error) {
		err = r.view(func(s *state) error {
			if err := s.writable(name); err != nil {
				return err
			}
			v, err := s.pick(name, spec, withDeleted)
			if err != nil {
				return err
			}
			number = v.number
			records, err = s.planVersion(v, how)
			return err
		})
		return records, err
	})
	return number, err
}

func (s *state) planVersion(v *version, how permanence) ([]Record, error) {
	one := []*version{v}
	if how == permanent {
		if !v.deleted {
			return nil, faultf(40407, "Subject '%s' Version %d was not deleted first before being permanently deleted", v.subject, v.number)
		}
		if err := s.unreferenced(one, withDeleted); err != nil {
			return nil, err
		}
		return s.purge(one), nil
	}
	if v.deleted {
		return nil, faultf(40406, "Subject '%s' Version %d was soft deleted.Set permanent=true to delete permanently", v.subject, v.number)
	}
	if err := s.unreferenced(one, liveOnly); err != nil {
		return nil, err
	}
	value := v.value()
	value.Deleted = true
	records := []Record{{Key: schemaKey(v.subject, v.number), Value: value.encode()}}
	if v.oddKey != nil {
		records = append([]Record{{Key: v.oddKey}}, records...)
	}
	return records, nil
}
