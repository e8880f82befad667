package registry

import (
	"context"
	"strings"
)

// register gives a schema its place in a subject and returns its id. What the subject has already is not written again.
func (r *Registry) register(ctx context.Context, name string, req schemaRequest) (int, error) {
	if err := validSubject(name); err != nil {
		return 0, err
	}
	if err := r.view(func(s *state) error { return s.registrable(name, req) }); err != nil {
		return 0, err
	}
	if held := r.heldAsIs(name, req, liveOnly); held != nil {
		return held.id, nil
	}
	u, err := r.understand(name, req)
	if err != nil {
		return 0, err
	}
	if held, err := r.registered(name, req, u); held != nil || err != nil {
		return held.idOrZero(), err
	}
	var id int
	err = r.write(ctx, func() ([]Record, error) {
		var records []Record
		records, id, err = r.planRegister(name, req)
		return records, err
	})
	return id, err
}

func (v *version) idOrZero() int {
	if v == nil {
		return 0
	}
	return v.id
}

// registrable checks a subject's mode against what a request gives.
func (s *state) registrable(name string, req schemaRequest) error {
	if err := s.writable(name); err != nil {
		return err
	}
	mode := s.mode(name)
	if req.ID > 0 && mode != importing {
		return notInMode(name, "import")
	}
	if req.ID <= 0 && mode == importing {
		return notInMode(name, "read-write")
	}
	return nil
}

// registered returns the live version of a subject that has a schema already, if there is one.
func (r *Registry) registered(name string, req schemaRequest, u *understood) (*version, error) {
	var held *version
	err := r.view(func(s *state) error {
		if held = s.holding(name, u.content.sum, liveOnly); held == nil {
			return nil
		}
		if req.ID > 0 && req.ID != held.id {
			return faultf(42207, "Schema already registered with id %d instead of input id %d", held.id, req.ID)
		}
		return nil
	})
	return held, err
}

// holding returns the newest version of a subject with the content of a hash.
func (s *state) holding(name string, sum hash, see visibility) *version {
	list := s.versions(name, see)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].content.sum == sum {
			return list[i]
		}
	}
	return nil
}

// planRegister repeats the checks of register with nobody else writing, and makes the record.
func (r *Registry) planRegister(name string, req schemaRequest) ([]Record, int, error) {
	u, err := r.understand(name, req)
	if err != nil {
		return nil, 0, err
	}
	if held, err := r.registered(name, req, u); held != nil || err != nil {
		return nil, held.idOrZero(), err
	}
	var old []*version
	var level, mode string
	v := &version{subject: name, content: u.content}
	err = r.view(func(s *state) (err error) {
		if err = s.registrable(name, req); err != nil {
			return err
		}
		level, mode = s.inScope(name, r.opts.Compatibility).level, s.mode(name)
		old = s.compared(name, u.content, level)
		return s.place(v, req)
	})
	if err != nil {
		return nil, 0, err
	}
	if mode != importing {
		if why := r.incompatible(u, old, level); len(why) > 0 {
			return nil, 0, faultf(409, "Schema being registered is incompatible with an earlier schema for subject \"%s\", details: [%s]", name, strings.Join(why, ", "))
		}
	}
	rec := Record{Key: schemaKey(name, v.number), Value: v.value().encode()}
	if len(rec.Key)+len(rec.Value) > r.opts.Limits.Schema+recordRoom {
		return nil, 0, tooLarge()
	}
	return []Record{rec}, v.id, nil
}

// place chooses a new version's number and id.
func (s *state) place(v *version, req schemaRequest) error {
	next := s.next(v.subject)
	v.number = next
	sp := s.peek(contextOf(v.subject))
	if s.mode(v.subject) == importing {
		if req.Version > 0 {
			v.number = req.Version
		}
		v.id = req.ID
		return s.importable(v, sp)
	}
	if req.Version > 0 && req.Version != next {
		return faultf(42201, "Version is not one more than previous version")
	}
	id, known := sp.byHash[v.content.sum]
	if !known || sp.hashOf[id] != v.content.sum {
		id = sp.maxID + 1
	}
	v.id = id
	return nil
}

// importable refuses a given id that stands for something else, and a given version that does.
func (s *state) importable(v *version, sp *space) error {
	if id, known := sp.byHash[v.content.sum]; known && id != v.id {
		return faultf(42207, "Schema already registered with id %d instead of input id %d", id, v.id)
	}
	if old := s.version(v.subject, v.number); old != nil && old.content.sum != v.content.sum {
		return faultf(42205, "Overwrite new schema with version %d of subject %s is not permitted.", v.number, v.subject)
	}
	if owner, known := sp.hashOf[v.id]; known && owner != v.content.sum {
		return faultf(42205, "Overwrite new schema with id %d in context %s is not permitted.", v.id, contextOf(v.subject))
	}
	return nil
}

// value is the record of a version.
func (v *version) value() schemaValue {
	c := v.content
	return schemaValue{
		Subject: v.subject, Version: v.number, ID: v.id, SchemaType: c.shownType(), References: c.References,
		Metadata: c.Metadata, RuleSet: c.RuleSet, Schema: c.Text, Deleted: v.deleted, Extra: v.extra,
	}
}
