package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// config is one scope's own settings. Members other than the level are kept as they were given.
type config struct {
	level     string // "" if the scope has none of its own
	normalize *bool
	members   map[string]json.RawMessage // everything but subject and compatibilityLevel
}

var levels = []string{"NONE", "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE"}

// IsLevel says whether a text names a compatibility level, in capitals.
func IsLevel(text string) bool { return slices.Contains(levels, text) }

// settings are the members of a PUT that are kept, beside the level; others are ignored.
var settings = []string{
	"normalize", "alias", "validateFields", "validateRules", "compatibilityGroup", "compatibilityPolicy",
	"defaultMetadata", "overrideMetadata", "defaultRuleSet", "overrideRuleSet",
}

func (s *state) applyConfig(scope string, raw []byte) error {
	if raw == nil {
		delete(s.configs, scope)
		return nil
	}
	c, err := readConfig(raw)
	if err != nil {
		return err
	}
	s.configs[scope] = c
	return nil
}

func readConfig(raw []byte) (*config, error) {
	c := &config{}
	if err := json.Unmarshal(raw, &c.members); err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	if level, ok := c.members["compatibilityLevel"]; ok {
		if err := json.Unmarshal(level, &c.level); err != nil {
			return nil, fmt.Errorf("read config: %w", err)
		}
	}
	if normalize, ok := c.members["normalize"]; ok {
		if err := json.Unmarshal(normalize, &c.normalize); err != nil {
			return nil, fmt.Errorf("read config: %w", err)
		}
	}
	delete(c.members, "subject")
	delete(c.members, "compatibilityLevel")
	return c, nil
}

// value is the record of a config.
func (c *config) value(scope string) []byte {
	head := struct {
		Subject *string `json:"subject"`
		Level   string  `json:"compatibilityLevel,omitempty"`
	}{&scope, c.level}
	if scope == "" {
		head.Subject = nil
	}
	return appendMembers(marshal(head), c.members)
}

// answer is a config as GET and DELETE show it.
func (c *config) answer() json.RawMessage {
	return appendMembers(marshal(struct {
		Level string `json:"compatibilityLevel,omitempty"`
	}{c.level}), c.members)
}

// changed returns c with the members that a PUT gave, checked. The level comes as "compatibility".
func (c *config) changed(given map[string]json.RawMessage) (*config, error) {
	next := &config{members: map[string]json.RawMessage{}}
	if c != nil {
		*next = *c
		next.members = mapsClone(c.members)
	}
	if raw, ok := given["compatibility"]; ok && string(raw) != "null" {
		var level string
		if json.Unmarshal(raw, &level) != nil || !slices.Contains(levels, strings.ToUpper(level)) {
			return nil, invalidLevel()
		}
		next.level = strings.ToUpper(level)
	}
	for _, name := range settings {
		if raw, ok := given[name]; ok {
			next.members[name] = raw
		}
	}
	if raw, ok := given["normalize"]; ok {
		next.normalize = nil
		if err := json.Unmarshal(raw, &next.normalize); err != nil {
			return nil, faultf(400, "normalize is neither true nor false")
		}
	}
	return next, nil
}

func mapsClone(m map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// echo is what PUT answers: the members given, with the level as it was understood.
func echo(given map[string]json.RawMessage, next *config) json.RawMessage {
	kept := map[string]json.RawMessage{}
	for _, name := range settings {
		if raw, ok := given[name]; ok {
			kept[name] = raw
		}
	}
	head := struct {
		Level string `json:"compatibility,omitempty"`
	}{}
	if _, ok := given["compatibility"]; ok {
		head.Level = next.level
	}
	return appendMembers(marshal(head), kept)
}

// scopes are where a subject's settings are looked for: its own, its context's, the global ones.
func scopes(name string) []string {
	return []string{name, contextScope(contextOf(name)), ""}
}

// inScope is the config that holds for a subject, member by member.
func (s *state) inScope(name, fallback string) *config {
	out := &config{members: map[string]json.RawMessage{}}
	for _, scope := range scopes(name) {
		c := s.configs[scope]
		if c == nil {
			continue
		}
		if out.level == "" {
			out.level = c.level
		}
		if out.normalize == nil {
			out.normalize = c.normalize
		}
		for k, v := range c.members {
			if _, have := out.members[k]; !have {
				out.members[k] = v
			}
		}
	}
	if out.level == "" || !slices.Contains(levels, out.level) {
		out.level = fallback
	}
	return out
}
