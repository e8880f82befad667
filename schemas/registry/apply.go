package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// apply takes one record into the state. A record that cannot be read is counted and reported, never fatal: the log may
// have been written by others.
func (s *state) apply(rec Record) error {
	var key recordKey
	if err := json.Unmarshal(rec.Key, &key); err != nil {
		s.broken++
		return fmt.Errorf("read key of record %d: %w", rec.Offset, err)
	}
	var err error
	switch key.Keytype {
	case keySchema:
		err = s.applySchema(key, rec)
	case keyConfig:
		err = s.applyConfig(key.subject(), rec.Value)
	case keyMode:
		err = s.applyMode(key.subject(), rec.Value)
	case keyDeleteSubject:
		err = s.applyDeleteSubject(key.subject(), rec.Value)
	case keyClearSubject:
		s.clear(key.subject())
	case keyIDs:
		err = s.applyIDs(key, rec.Value)
	case keyNoop:
	default:
		s.unknown++
	}
	if err != nil {
		s.broken++
		return fmt.Errorf("apply %s record %d of subject %q: %w", key.Keytype, rec.Offset, key.subject(), err)
	}
	return nil
}

func (s *state) applySchema(key recordKey, rec Record) error {
	name := key.subject()
	if rec.Value == nil {
		s.forget(name, key.Version)
		return nil
	}
	value, err := readSchemaValue(rec.Value)
	if err != nil {
		return err
	}
	if key.Version < 1 || value.ID < 1 {
		return fmt.Errorf("version %d with id %d", key.Version, value.ID)
	}
	v := &version{subject: name, number: key.Version, id: value.ID, deleted: value.Deleted, content: value.content()}
	v.extra = value.Extra
	if !bytes.Equal(rec.Key, schemaKey(name, key.Version)) {
		v.oddKey = bytes.Clone(rec.Key)
	}
	return s.put(v)
}

func (v schemaValue) content() *content {
	c := content{
		Type: v.SchemaType, Text: v.Schema, References: v.References,
		Metadata: compactJSON(v.Metadata), RuleSet: compactJSON(v.RuleSet),
	}
	if c.Type == "" {
		c.Type = typeAvro
	}
	return c.sealed()
}

// put makes v the holder of its number, in place of whatever held it before.
func (s *state) put(v *version) error {
	s.unlink(s.version(v.subject, v.number))
	sub := s.subjects[v.subject]
	if sub == nil {
		sub = &subject{name: v.subject}
		s.subjects[v.subject] = sub
	}
	at, found := sub.find(v.number)
	if found {
		sub.versions[at] = v
	} else {
		sub.versions = append(sub.versions[:at], append([]*version{v}, sub.versions[at:]...)...)
	}
	return s.link(v)
}

// link enters a version under its id, its hash and its references.
func (s *state) link(v *version) error {
	sp, h := s.space(contextOf(v.subject)), v.content.sum
	sp.own(h, v.id)
	held := sp.byID[v.id]
	if held == nil {
		held = &holder{content: v.content}
		sp.byID[v.id] = held
	}
	held.versions = append(held.versions, v)
	for _, ref := range v.content.References {
		of := target{within(contextOf(v.subject), ref.Subject), ref.Version}
		if s.uses[of] == nil {
			s.uses[of] = map[target]bool{}
		}
		s.uses[of][target{v.subject, v.number}] = true
	}
	if held.content.sum != h {
		return fmt.Errorf("id %d stands for two schemas; version %d keeps its own text", v.id, v.number)
	}
	v.content = held.content // one copy of the text for all versions
	return nil
}

func (s *state) unlink(v *version) {
	if v == nil {
		return
	}
	sp := s.space(contextOf(v.subject))
	held := sp.byID[v.id]
	for i, x := range held.versions {
		if x == v {
			held.versions = append(held.versions[:i:i], held.versions[i+1:]...)
			break
		}
	}
	if len(held.versions) == 0 {
		delete(sp.byID, v.id)
	}
	for _, ref := range v.content.References {
		of := target{within(contextOf(v.subject), ref.Subject), ref.Version}
		delete(s.uses[of], target{v.subject, v.number})
		if len(s.uses[of]) == 0 {
			delete(s.uses, of)
		}
	}
}

// forget removes a version for good; a subject without versions begins again at 1.
func (s *state) forget(name string, number int) {
	sub := s.subjects[name]
	if sub == nil {
		return
	}
	at, found := sub.find(number)
	if !found {
		return
	}
	s.unlink(sub.versions[at])
	sub.versions = append(sub.versions[:at], sub.versions[at+1:]...)
	if len(sub.versions) == 0 {
		delete(s.subjects, name)
	}
}

func (s *state) clear(name string) {
	for _, v := range s.versions(name, withDeleted) {
		s.forget(name, v.number)
	}
}

func (s *state) applyDeleteSubject(name string, raw []byte) error {
	if raw == nil {
		return nil
	}
	var value deleteValue
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	for i, v := range s.versions(name, withDeleted) {
		if v.number > value.Version || v.deleted {
			continue
		}
		gone := *v // readers of the old one are not disturbed
		gone.deleted = true
		s.swap(i, v, &gone)
	}
	return nil
}

// swap replaces the i-th version of a subject by a changed copy of itself.
func (s *state) swap(i int, old, changed *version) {
	s.subjects[old.subject].versions[i] = changed
	held := s.space(contextOf(old.subject)).byID[old.id]
	for j, x := range held.versions {
		if x == old {
			held.versions[j] = changed
		}
	}
}

func (s *state) applyMode(scope string, raw []byte) error {
	if raw == nil {
		delete(s.modes, scope)
		return nil
	}
	var value modeValue
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	s.modes[scope] = value.Mode
	return nil
}

func (s *state) applyIDs(key recordKey, raw []byte) error {
	if raw == nil {
		return nil
	}
	var value idsValue
	if err := json.Unmarshal(raw, &value); err != nil {
		return err
	}
	if key.Page < 0 || key.Page > 1<<16 {
		return fmt.Errorf("page %d", key.Page)
	}
	page := make(map[hash]int, len(value.IDs))
	sp := s.space(key.Context)
	for text, id := range value.IDs {
		h, err := parseHash(text)
		if err != nil {
			return err
		}
		page[h] = id
		sp.own(h, id)
	}
	sp.maxID = max(sp.maxID, value.MaxID)
	for len(sp.pages) <= key.Page {
		sp.pages = append(sp.pages, nil)
	}
	sp.pages[key.Page] = page
	return nil
}
