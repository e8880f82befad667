package registry

import (
	"encoding/json"
	"slices"
)

// shownSchema is a version as answers show it, followed by the members of its record that we do not know.
type shownSchema struct {
	Subject    string          `json:"subject"`
	Version    int             `json:"version"`
	ID         int             `json:"id"`
	SchemaType string          `json:"schemaType,omitempty"`
	References []reference     `json:"references,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
	RuleSet    json.RawMessage `json:"ruleSet,omitempty"`
	Schema     string          `json:"schema"`
	Deleted    bool            `json:"deleted,omitempty"`
}

// shown is a version with its text in the form that was asked for.
func (v *version) shown(text string) json.RawMessage {
	c := v.content
	known := shownSchema{v.subject, v.number, v.id, c.shownType(), c.References, c.Metadata, c.RuleSet, text, v.deleted}
	return appendMembers(marshal(known), v.extra)
}

// shownContent is a schema by its id.
type shownContent struct {
	SchemaType string          `json:"schemaType,omitempty"`
	Schema     string          `json:"schema"`
	References []reference     `json:"references,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
	RuleSet    json.RawMessage `json:"ruleSet,omitempty"`
	MaxID      int             `json:"maxId,omitempty"`
}

type shownVersion struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

func getRoot(*call) (any, error) { return struct{}{}, nil }

func getTypes(*call) (any, error) { return []string{typeJSON, typeProtobuf, typeAvro}, nil }

func getSchemas(c *call) (any, error) {
	list := []json.RawMessage{}
	see, latestOnly := c.visible(), c.flag("latestOnly")
	err := c.registry.view(func(s *state) error {
		for _, name := range s.names(c.prefix(), see) {
			versions := s.versions(name, see)
			if latestOnly {
				versions = versions[len(versions)-1:]
			}
			for _, v := range versions {
				list = append(list, v.shown(v.content.Text))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page(c, list)
}

// prefix is the query's subjectPrefix in the path's context; without one, all contexts unless the path names one.
func (c *call) prefix() string {
	given, ok := c.query["subjectPrefix"]
	switch {
	case c.context != defaultContext && ok:
		return within(c.context, given[0])
	case c.context != defaultContext:
		return contextScope(c.context)
	case ok:
		return given[0]
	}
	return everyContext
}

// holderOf finds the id of the path: in the context of the query's subject, else wherever that subject has it.
func (c *call) holderOf(s *state) (held *holder, ctx string, err error) {
	id, err := c.number(c.vars[0])
	if err != nil {
		return nil, "", err
	}
	subject := within(c.context, c.query.Get("subject"))
	ctx, name := splitName(subject)
	if held := s.peek(ctx).byID[id]; held != nil {
		return held, ctx, nil
	}
	if name == "" || ctx != defaultContext {
		return nil, ctx, idNotFound(id)
	}
	for other, sp := range s.spaces {
		held := sp.byID[id]
		if held != nil && slices.ContainsFunc(held.versions, func(v *version) bool { return bareName(v.subject) == name }) {
			return held, other, nil
		}
	}
	return nil, ctx, idNotFound(id)
}

func getID(c *call) (any, error) {
	content, ctx, err := c.contentByID()
	if err != nil {
		return nil, err
	}
	out := shownContent{content.shownType(), content.Text, content.References, content.Metadata, content.RuleSet, 0}
	if out.Schema, err = c.formatted(ctx, content); err != nil {
		return nil, err
	}
	if c.flag("fetchMaxId") {
		c.registry.view(func(s *state) error { out.MaxID = s.peek(ctx).maxID; return nil })
	}
	return out, nil
}

func getIDSchema(c *call) (any, error) {
	content, ctx, err := c.contentByID()
	if err != nil {
		return nil, err
	}
	text, err := c.formatted(ctx, content)
	return rawText(text), err
}

func (c *call) contentByID() (content *content, ctx string, err error) {
	err = c.registry.view(func(s *state) error {
		held, where, err := c.holderOf(s)
		if err == nil {
			content, ctx = held.content, where
		}
		return err
	})
	return content, ctx, err
}

// formatted is a schema's text as the query's format wants it: resolved means with all referenced types written out.
func (c *call) formatted(ctx string, content *content) (string, error) {
	if c.query.Get("format") != "resolved" || content.Type != typeAvro {
		return content.Text, nil
	}
	p := c.registry.parseContent(ctx, content)
	if p.err != nil {
		return "", invalidSchema(content, p.err)
	}
	return p.doc.Resolved(), nil
}

// versionsOfID are the versions that carry the path's id, by subject and number.
func (c *call) versionsOfID() ([]*version, error) {
	var list []*version
	see := c.visible()
	err := c.registry.view(func(s *state) error {
		held, _, err := c.holderOf(s)
		if err != nil {
			if f, ok := err.(*fault); ok && f.code == 40403 {
				return schemaNotFound()
			}
			return err
		}
		for _, v := range held.versions {
			if see.shows(v) {
				list = append(list, v)
			}
		}
		return nil
	})
	slices.SortFunc(list, byPlace)
	return list, err
}

func getIDSubjects(c *call) (any, error) {
	list, err := c.versionsOfID()
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, v := range list {
		names = append(names, v.subject)
	}
	return page(c, slices.Compact(names))
}

func getIDVersions(c *call) (any, error) {
	list, err := c.versionsOfID()
	if err != nil {
		return nil, err
	}
	out := []shownVersion{}
	for _, v := range list {
		out = append(out, shownVersion{v.subject, v.number})
	}
	return page(c, out)
}
