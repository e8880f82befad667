package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Key types of the log.
const (
	keySchema        = "SCHEMA"
	keyConfig        = "CONFIG"
	keyMode          = "MODE"
	keyDeleteSubject = "DELETE_SUBJECT"
	keyClearSubject  = "CLEAR_SUBJECT"
	keyNoop          = "NOOP"
	keyIDs           = "STRIPELINE_IDS"
)

// recordKey is any key of the log, as read.
type recordKey struct {
	Keytype string  `json:"keytype"`
	Subject *string `json:"subject"`
	Version int     `json:"version"`
	Context string  `json:"context"`
	Page    int     `json:"page"`
	Magic   int     `json:"magic"`
}

func (k recordKey) subject() string {
	if k.Subject == nil {
		return ""
	}
	return canonicalName(*k.Subject)
}

func schemaKey(subject string, version int) []byte {
	return marshal(struct {
		Keytype string `json:"keytype"`
		Subject string `json:"subject"`
		Version int    `json:"version"`
		Magic   int    `json:"magic"`
	}{keySchema, subject, version, 1})
}

// scopeKey is the key of a CONFIG, MODE, DELETE_SUBJECT or CLEAR_SUBJECT record; the subject "" stands for the global scope.
func scopeKey(keytype, subject string) []byte {
	k := struct {
		Keytype string  `json:"keytype"`
		Subject *string `json:"subject"`
		Magic   int     `json:"magic"`
	}{keytype, &subject, 0}
	if subject == "" {
		k.Subject = nil
	}
	return marshal(k)
}

// NoopKey is the key of the record that only marks a place in the log: a new leader writes one before anything else.
func NoopKey() []byte { return []byte(`{"keytype":"NOOP","magic":0}`) }

func idsKey(ctx string, page int) []byte {
	return marshal(struct {
		Keytype string `json:"keytype"`
		Context string `json:"context"`
		Page    int    `json:"page,omitempty"`
		Magic   int    `json:"magic"`
	}{keyIDs, ctx, page, 0})
}

// schemaValue is the value of a SCHEMA record. Extra holds members that we do not know, by name.
type schemaValue struct {
	Subject    string          `json:"subject"`
	Version    int             `json:"version"`
	ID         int             `json:"id"`
	SchemaType string          `json:"schemaType,omitempty"`
	References []reference     `json:"references,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
	RuleSet    json.RawMessage `json:"ruleSet,omitempty"`
	Schema     string          `json:"schema"`
	Deleted    bool            `json:"deleted"`

	Extra map[string]json.RawMessage `json:"-"`
}

var schemaMembers = []string{"subject", "version", "id", "schemaType", "references", "metadata", "ruleSet", "schema", "deleted"}

func readSchemaValue(raw []byte) (v schemaValue, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if dec.Decode(&v) == nil {
		return v, nil
	}
	v = schemaValue{}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("read schema record: %w", err)
	}
	if err := json.Unmarshal(raw, &v.Extra); err != nil {
		return v, fmt.Errorf("read schema record: %w", err)
	}
	for _, known := range schemaMembers {
		delete(v.Extra, known)
	}
	return v, nil
}

func (v schemaValue) encode() []byte { return appendMembers(marshal(v), v.Extra) }

// appendMembers adds members, by name, to the end of a JSON object that is not empty.
func appendMembers(object []byte, extra map[string]json.RawMessage) []byte {
	b := bytes.TrimSuffix(object, []byte("}"))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(b, marshal(name)...), ':')
		b = append(b, extra[name]...)
	}
	return append(b, '}')
}

type deleteValue struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

type modeValue struct {
	Subject *string `json:"subject"`
	Mode    string  `json:"mode"`
}

type idsValue struct {
	Context string         `json:"context"`
	MaxID   int            `json:"maxId"`
	IDs     map[string]int `json:"ids"`
}
