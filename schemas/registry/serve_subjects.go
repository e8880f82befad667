package registry

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// byPlace orders versions by subject and number.
func byPlace(a, b *version) int {
	if c := strings.Compare(a.subject, b.subject); c != 0 {
		return c
	}
	return a.number - b.number
}

func getSubjects(c *call) (any, error) {
	var names []string
	c.registry.view(func(s *state) error {
		names = s.names(c.prefix(), c.visible())
		return nil
	})
	return page(c, names)
}

func getVersions(c *call) (any, error) {
	name, numbers := c.subject(), []int{}
	err := c.registry.view(func(s *state) error {
		list := s.versions(name, c.visible())
		if len(list) == 0 {
			return subjectNotFound(name)
		}
		for _, v := range list {
			if v.deleted && c.flag("deletedAsNegative") {
				numbers = append(numbers, -v.number)
			} else {
				numbers = append(numbers, v.number)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page(c, numbers)
}

// picked is the version that the path names.
func (c *call) picked() (*version, error) {
	var v *version
	see := liveOnly
	if c.flag("deleted") {
		see = withDeleted
	}
	err := c.registry.view(func(s *state) (err error) {
		v, err = s.pick(c.subject(), c.vars[1], see)
		return err
	})
	return v, err
}

func getVersion(c *call) (any, error) {
	v, err := c.picked()
	if err != nil {
		return nil, err
	}
	return c.shownFormatted(v)
}

func (c *call) shownFormatted(v *version) (any, error) {
	text, err := c.formatted(contextOf(v.subject), v.content)
	if err != nil {
		return nil, err
	}
	return v.shown(text), nil
}

func getVersionSchema(c *call) (any, error) {
	v, err := c.picked()
	if err != nil {
		return nil, err
	}
	text, err := c.formatted(contextOf(v.subject), v.content)
	return rawText(text), err
}

func getReferencedBy(c *call) (any, error) {
	v, err := c.picked()
	if err != nil {
		return nil, err
	}
	ids := []int{}
	c.registry.view(func(s *state) error {
		for _, user := range s.users(target{v.subject, v.number}, c.visible()) {
			ids = append(ids, user.id)
		}
		return nil
	})
	return page(c, slices.Compact(ids))
}

func postLookup(c *call) (any, error) {
	req, err := c.schemaBody()
	if err != nil {
		return nil, err
	}
	name, see := c.subject(), c.visible()
	err = c.registry.view(func(s *state) error {
		if len(s.versions(name, see)) == 0 {
			return subjectNotFound(name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	held := c.registry.heldAsIs(name, req, see)
	if held == nil {
		held, err = c.registry.lookUp(name, req, see)
	}
	if err != nil {
		return nil, err
	}
	return c.shownFormatted(held)
}

// lookUp finds the newest version of a subject that means what a request says.
func (r *Registry) lookUp(name string, req schemaRequest, see visibility) (*version, error) {
	u, err := r.understand(name, req)
	if err != nil {
		return nil, err
	}
	var held *version
	r.view(func(s *state) error {
		held = s.holding(name, u.content.sum, see)
		return nil
	})
	if held == nil {
		return nil, schemaNotFound()
	}
	return held, nil
}

func postVersion(c *call) (any, error) {
	req, err := c.schemaBody()
	if err != nil {
		return nil, err
	}
	id, err := c.registry.register(c.req.Context(), c.subject(), req)
	if err != nil {
		return nil, err
	}
	return struct {
		ID int `json:"id"`
	}{id}, nil
}

func deleteSubject(c *call) (any, error) {
	return c.registry.deleteSubject(c.req.Context(), c.subject(), permanence(c.flag("permanent")))
}

func deleteVersion(c *call) (any, error) {
	if _, err := versionNumber(c.vars[1]); err != nil {
		return nil, err
	}
	return c.registry.deleteVersion(c.req.Context(), c.subject(), c.vars[1], permanence(c.flag("permanent")))
}

// getMetadata is the newest version whose metadata has all the properties asked for.
func getMetadata(c *call) (any, error) {
	name, see := c.subject(), c.visible()
	keys, values := c.query["key"], c.query["value"]
	if len(keys) != len(values) {
		return nil, faultf(400, "%d keys and %d values are given", len(keys), len(values))
	}
	var found *version
	err := c.registry.view(func(s *state) error {
		list := s.versions(name, see)
		if len(list) == 0 {
			return subjectNotFound(name)
		}
		for _, v := range slices.Backward(list) {
			if v.content.hasProperties(keys, values) {
				found = v
				return nil
			}
		}
		return schemaNotFound()
	})
	if err != nil {
		return nil, err
	}
	return c.shownFormatted(found)
}

func (c *content) hasProperties(keys, values []string) bool {
	properties := c.properties()
	for i, key := range keys {
		if value, ok := properties[key]; !ok || value != values[i] {
			return false
		}
	}
	return true
}

// properties are those of the metadata; none where there is no metadata that can be read.
func (c *content) properties() map[string]string {
	var metadata struct{ Properties map[string]string }
	if c.Metadata == nil || json.Unmarshal(c.Metadata, &metadata) != nil {
		return nil
	}
	return metadata.Properties
}

func getContexts(c *call) (any, error) {
	var list []string
	c.registry.view(func(s *state) error {
		seen := map[string]bool{defaultContext: true}
		for name := range s.subjects {
			seen[contextOf(name)] = true
		}
		for ctx := range seen {
			if !strings.HasPrefix(ctx, c.query.Get("contextPrefix")) {
				delete(seen, ctx)
			}
		}
		list = slices.Sorted(maps.Keys(seen))
		return nil
	})
	return page(c, list)
}
