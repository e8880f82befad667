package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"
)

// incompatible checks a new schema against old versions, the newest first, and returns why it does not go with the first
// one that it does not go with; nothing if it goes with all of them.
func (r *Registry) incompatible(u *understood, old []*version, level string) []string {
	if level == "NONE" {
		return nil
	}
	for _, v := range slices.Backward(old) {
		if differences := r.compare(u, v, level); len(differences) > 0 {
			return append(differences,
				fmt.Sprintf("{oldSchemaVersion: %d}", v.number),
				fmt.Sprintf("{oldSchema: '%s'}", v.content.Text),
				fmt.Sprintf("{validateFields: 'false', compatibility: '%s'}", level))
		}
	}
	return nil
}

// compare says why a schema does not go with one old version.
func (r *Registry) compare(u *understood, v *version, level string) []string {
	if u.content.sum == v.content.sum {
		return nil
	}
	if u.content.Type != v.content.Type {
		return []string{fmt.Sprintf("{errorType:'TYPE_MISMATCH', description:'the new schema is of type %s, the old one of type %s'}", u.content.Type, v.content.Type)}
	}
	if u.content.Type != typeAvro {
		return []string{fmt.Sprintf("{errorType:'NOT_CHECKED', description:'this registry cannot check the compatibility of %s schemas; set the level NONE to register them unchecked'}", u.content.Type)}
	}
	old := r.parseContent(contextOf(v.subject), v.content)
	if old.err != nil {
		return []string{fmt.Sprintf("{errorType:'UNREADABLE', description:'the old schema cannot be read: %s'}", clipText(old.err.Error()))}
	}
	var out []string
	if !strings.HasPrefix(level, "FORWARD") {
		out = appendDifference(out, avro.CheckCompatibility(old.schema, u.parsed.schema), [2]string{"new", "old"})
	}
	if !strings.HasPrefix(level, "BACKWARD") {
		out = appendDifference(out, avro.CheckCompatibility(u.parsed.schema, old.schema), [2]string{"old", "new"})
	}
	return out
}

// parseContent reads a schema that the log holds; it may reference deleted ones.
func (r *Registry) parseContent(ctx string, c *content) *parsedSchema {
	var b *bundle
	err := r.view(func(s *state) (err error) {
		b, err = s.bundle(ctx, c, r.opts.Limits.references(withDeleted))
		return err
	})
	if err != nil {
		return &parsedSchema{err: err}
	}
	return r.parse(b, lenient)
}

// appendDifference words the first thing that a reader cannot read of a writer. sides are the reader's and the writer's name.
func appendDifference(out []string, err error, sides [2]string) []string {
	if err == nil {
		return out
	}
	var why *avro.CompatibilityError
	if !errors.As(err, &why) {
		return append(out, fmt.Sprintf("{errorType:'INCOMPATIBLE', description:'%s'}", clipText(err.Error())))
	}
	writer := why.WriterType
	if writer == "" {
		writer = "nothing"
	}
	return append(out, fmt.Sprintf("{errorType:'%s', description:'at %s the %s schema reads %s and the %s schema writes %s: %s'}",
		errorType(why), why.Path, sides[0], why.ReaderType, sides[1], writer, clipText(why.Detail)))
}

// errorType gives Avro Java's name for a kind of difference.
func errorType(why *avro.CompatibilityError) string {
	for _, kind := range [][2]string{
		{"no default and is missing", "READER_FIELD_MISSING_DEFAULT_VALUE"},
		{"names do not match", "NAME_MISMATCH"},
		{"enum symbol", "MISSING_ENUM_SYMBOLS"},
		{"fixed sizes", "FIXED_SIZE_MISMATCH"},
		{"union branch", "MISSING_UNION_BRANCH"},
	} {
		if strings.Contains(why.Detail, kind[0]) {
			return kind[1]
		}
	}
	return "TYPE_MISMATCH"
}

// compared returns the versions that a level looks at: of the subject's live ones those in the new schema's compatibility
// group, if the config names the property of metadata that makes the groups.
func (s *state) compared(name string, c *content, level string) []*version {
	live := s.versions(name, liveOnly)
	var group string
	if raw, ok := s.inScope(name, "").members["compatibilityGroup"]; ok && json.Unmarshal(raw, &group) == nil && group != "" {
		mine := c.properties()[group]
		live = slices.DeleteFunc(live, func(v *version) bool { return v.content.properties()[group] != mine })
	}
	if len(live) > 0 && !strings.HasSuffix(level, "_TRANSITIVE") {
		return live[len(live)-1:]
	}
	return live
}

// check answers a compatibility request against some versions of a subject. A nil list of versions means those that the
// level looks at.
func (r *Registry) check(name string, req schemaRequest, against []*version) ([]string, error) {
	u, err := r.understand(name, req)
	if err != nil {
		return nil, err
	}
	var level string
	r.view(func(s *state) error {
		level = s.inScope(name, r.opts.Compatibility).level
		if against == nil {
			against = s.compared(name, u.content, level)
		}
		return nil
	})
	return r.incompatible(u, against, level), nil
}
