package registry

import (
	"encoding/json"
	"slices"
	"strings"

	"stripeline/schemas/registry/avrotext"
)

// schemaRequest is the body of register, look-up and compatibility requests.
type schemaRequest struct {
	Schema     *string         `json:"schema"`
	SchemaType string          `json:"schemaType"`
	References []reference     `json:"references"`
	Metadata   json.RawMessage `json:"metadata"`
	RuleSet    json.RawMessage `json:"ruleSet"`
	ID         int             `json:"id"`
	Version    int             `json:"version"`
	Normalize  bool            `json:"-"` // from the query
}

// understood is a request's schema after it has been read and judged.
type understood struct {
	content *content      // as it is stored
	parsed  *parsedSchema // Avro only
}

// understand reads and judges a request's schema for a subject. It returns faults.
func (r *Registry) understand(name string, req schemaRequest) (*understood, error) {
	raw, err := r.rawContent(req)
	if err != nil {
		return nil, err
	}
	var b *bundle
	var normalize bool
	var unresolved error
	r.view(func(s *state) error {
		raw.References = s.pinned(contextOf(name), raw.References)
		c := raw.sealed()
		b, unresolved = s.bundle(contextOf(name), c, r.opts.Limits.references(liveOnly))
		if set := s.inScope(name, "").normalize; set != nil {
			normalize = *set
		}
		normalize = (normalize || req.Normalize) && s.mode(name) != importing
		return nil
	})
	if unresolved != nil {
		return nil, invalidSchema(&raw, unresolved)
	}
	return r.judge(b, normalForm(normalize))
}

// heldAsIs finds the newest version of a subject whose text is the request's, byte for byte, which needs no reading; nil where there is none, or
// where the text might be stored in another form.
func (r *Registry) heldAsIs(name string, req schemaRequest, see visibility) *version {
	raw, err := r.rawContent(req)
	if err != nil || req.Normalize || req.ID > 0 || req.Version > 0 {
		return nil
	}
	var held *version
	r.view(func(s *state) error {
		if set := s.inScope(name, "").normalize; set != nil && *set {
			return nil
		}
		raw.References = s.pinned(contextOf(name), raw.References)
		held = s.holding(name, raw.sealed().sum, see)
		return nil
	})
	return held
}

// normalForm says which text is stored.
type normalForm bool

func (r *Registry) judge(b *bundle, form normalForm) (*understood, error) {
	stored := *b.content
	if form {
		stored.References = sortedReferences(stored.References)
	}
	u := &understood{}
	switch stored.Type {
	case typeAvro:
		if u.parsed = r.parse(b, strict); u.parsed.err != nil {
			return nil, invalidSchema(b.content, u.parsed.err)
		}
		stored.Text = u.parsed.text
		if form {
			stored.Text = u.parsed.normal
		}
	case typeJSON:
		v, err := avrotext.ParseValue(stored.Text, 500)
		if err != nil {
			return nil, invalidSchema(b.content, err)
		}
		stored.Text = v.JSON()
	}
	u.content = stored.sealed()
	if u.parsed != nil && len(b.deps) == 0 { // it means the same as stored, and will be compared with what follows it
		r.parsed.put(parsedKey{u.content.sum, lenient}, u.parsed)
	}
	return u, nil
}

func (r *Registry) rawContent(req schemaRequest) (content, error) {
	c := content{Type: strings.ToUpper(req.SchemaType), References: req.References}
	if c.Type == "" {
		c.Type = typeAvro
	}
	if !slices.Contains([]string{typeAvro, typeJSON, typeProtobuf}, c.Type) {
		return c, faultf(42201, "Invalid schema type %s", req.SchemaType)
	}
	if req.Schema == nil || strings.TrimSpace(*req.Schema) == "" {
		return c, faultf(42201, "Empty schema")
	}
	c.Text = *req.Schema
	if len(c.Text) > r.opts.Limits.Schema {
		return c, tooLarge()
	}
	c.Metadata, c.RuleSet = compactJSON(req.Metadata), compactJSON(req.RuleSet)
	return c, nil
}

func sortedReferences(refs []reference) []reference {
	out := slices.SortedFunc(slices.Values(refs), func(a, b reference) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		if c := strings.Compare(a.Subject, b.Subject); c != 0 {
			return c
		}
		return a.Version - b.Version
	})
	return slices.Compact(out)
}

// invalidSchema is 42201 with the beginning of the text and the reason.
func invalidSchema(c *content, why error) error {
	const most = 500
	text := c.Text
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return faultf(42201, "Invalid schema {schemaType=%s,references=%s,schema=%s}, details: %s", c.Type, marshal(c.References), text, clipText(why.Error()))
}

func clipText(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
