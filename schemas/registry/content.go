package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Schema types. An absent type means Avro.
const (
	typeAvro     = "AVRO"
	typeJSON     = "JSON"
	typeProtobuf = "PROTOBUF"
)

// reference names another subject's version whose types a schema uses.
type reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// content is what has an id: within a context, equal content has one id for ever.
type content struct {
	Type       string // never empty
	Text       string
	References []reference
	Metadata   json.RawMessage
	RuleSet    json.RawMessage
	sum        hash // of all of the above
}

// sealed is c with its hash, after which it does not change.
func (c content) sealed() *content {
	c.sum = c.hash()
	return &c
}

// hash identifies content: the first 128 bits of a SHA-256 over all its parts.
type hash [16]byte

func (h hash) String() string { return base64.RawURLEncoding.EncodeToString(h[:]) }

func parseHash(s string) (h hash, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) != len(h) {
		return h, fmt.Errorf("read schema hash %q: not %d bytes of base64", s, len(h))
	}
	return hash(raw), nil
}

func (c *content) hash() hash {
	h := sha256.New()
	for _, part := range []string{c.Type, c.Text, string(c.Metadata), string(c.RuleSet)} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write([]byte(part))
	}
	for _, r := range c.References {
		fmt.Fprintf(h, "%q %q %d;", r.Name, r.Subject, r.Version)
	}
	return hash(h.Sum(nil)[:16])
}

// shownType is the type as answers and records carry it: left out for Avro.
func (c *content) shownType() string {
	if c.Type == typeAvro {
		return ""
	}
	return c.Type
}

// compactJSON drops white space and turns null into nothing.
func compactJSON(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.String() == "null" {
		return nil
	}
	return b.Bytes()
}

// marshal writes v as JSON without escaping < > &, which Confluent's answers do not either.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("internal error: encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
