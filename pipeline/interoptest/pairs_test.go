package interoptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// pairCount is how many generated pairs the registry and Apache Avro's Python library must agree on.
const pairCount = 1000

// pair is a schema and a changed copy of it.
type pair struct {
	Writer any `json:"writer"`
	Reader any `json:"reader"`
}

// schemaMaker makes schemas by chance, always the same ones.
type schemaMaker struct {
	*rand.Rand
	named int // names given so far: every named type has its own
}

var primitives = []string{"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

func (m *schemaMaker) name(kind string) string {
	m.named++
	return fmt.Sprintf("%s%d", kind, m.named)
}

func (m *schemaMaker) schema(depth int) any {
	kind := m.IntN(10)
	if depth == 0 {
		kind = m.IntN(6)
	}
	switch kind {
	case 4:
		return map[string]any{"type": "enum", "name": m.name("E"), "symbols": []string{"A", "B", "C"}[:1+m.IntN(3)]}
	case 5:
		return map[string]any{"type": "fixed", "name": m.name("F"), "size": 1 + m.IntN(4)}
	case 6:
		return map[string]any{"type": "array", "items": m.schema(depth - 1)}
	case 7:
		return map[string]any{"type": "map", "values": m.schema(depth - 1)}
	case 8:
		return m.union()
	case 9:
		return m.record(depth)
	}
	return primitives[m.IntN(len(primitives))]
}

func (m *schemaMaker) union() any {
	var branches []any
	for _, i := range m.Perm(len(primitives))[:1+m.IntN(3)] {
		branches = append(branches, primitives[i])
	}
	return branches
}

func (m *schemaMaker) record(depth int) any {
	fields := []any{}
	for i := range 1 + m.IntN(4) {
		fields = append(fields, map[string]any{"name": fmt.Sprintf("f%d", i), "type": m.schema(depth - 1)})
	}
	return map[string]any{"type": "record", "name": m.name("R"), "fields": fields}
}

// changed gives a copy in which a few places differ.
func (m *schemaMaker) changed(s any) any {
	if m.IntN(12) == 0 {
		return m.schema(1)
	}
	switch s := s.(type) {
	case []any:
		if m.IntN(4) == 0 {
			return m.union()
		}
		return s
	case map[string]any:
		return m.changedType(s)
	}
	return s
}

func (m *schemaMaker) changedType(s map[string]any) any {
	c := map[string]any{}
	for key, value := range s {
		c[key] = value
	}
	switch s["type"] {
	case "array":
		c["items"] = m.changed(s["items"])
	case "map":
		c["values"] = m.changed(s["values"])
	case "fixed":
		c["size"] = s["size"].(int) + m.IntN(4)/3
	case "enum":
		c["symbols"] = []string{"A", "B", "C"}[:1+m.IntN(3)]
	case "record":
		c["fields"] = m.changedFields(s["fields"].([]any))
	}
	return c
}

func (m *schemaMaker) changedFields(fields []any) []any {
	kept := []any{}
	for _, f := range fields {
		if field := f.(map[string]any); m.IntN(8) > 0 {
			kept = append(kept, map[string]any{"name": field["name"], "type": m.changed(field["type"])})
		}
	}
	switch m.IntN(4) {
	case 0:
		kept = append(kept, map[string]any{"name": "added", "type": "int", "default": 7})
	case 1:
		kept = append(kept, map[string]any{"name": "needed", "type": "int"})
	}
	return kept
}

// ask sends a request to the registry and gives the answer's body.
func ask(t *testing.T, method, url string, body any) []byte {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s (%v) for %s", method, url, response.StatusCode, answer, err, text)
	}
	return answer
}

func textOf(t *testing.T, schema any) map[string]string {
	t.Helper()
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"schema": string(text)}
}

func TestGeneratedPairsAgreeWithApacheAvro(t *testing.T) {
	python := need(t, "python")
	r, err := registry.Open(t.Context(), logtest.NewMemory(), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	server := httptest.NewServer(r)
	defer server.Close()
	m := &schemaMaker{Rand: rand.New(rand.NewPCG(1, 2))}
	var pairs []pair
	var lines strings.Builder
	for range pairCount {
		p := pair{Writer: m.record(2)}
		p.Reader = m.changedType(p.Writer.(map[string]any))
		pairs = append(pairs, p)
		line, _ := json.Marshal(p)
		lines.Write(append(line, '\n'))
	}
	verdicts := strings.Fields(run(t, lines.String(), python, "testdata/pairs/pairs.py"))
	if len(verdicts) != pairCount {
		t.Fatalf("%d verdicts on %d pairs", len(verdicts), pairCount)
	}
	compatible := 0
	for i, p := range pairs {
		subject := fmt.Sprintf("%s/subjects/s%d/versions", server.URL, i)
		ask(t, http.MethodPost, subject, textOf(t, p.Writer))
		check := fmt.Sprintf("%s/compatibility/subjects/s%d/versions/latest?verbose=true", server.URL, i)
		ours := ask(t, http.MethodPost, check, textOf(t, p.Reader))
		if strings.Contains(string(ours), `"is_compatible":true`) != (verdicts[i] == "true") {
			line, _ := json.Marshal(p)
			t.Errorf("Apache Avro says %s, we say %s of %s", verdicts[i], ours, line)
		}
		if verdicts[i] == "true" {
			compatible++
		}
	}
	if compatible < pairCount/10 || compatible > pairCount*9/10 {
		t.Errorf("%d of %d pairs are compatible: the generator shows little", compatible, pairCount)
	}
}
