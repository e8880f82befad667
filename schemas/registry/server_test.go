package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

const v1json = "application/vnd.schemaregistry.v1+json"

// server is a registry under test over HTTP.
type server struct {
	t   testing.TB
	url string
	log *logtest.Memory // nil: somebody else's registry
	reg *registry.Registry

	vars *strings.Replacer // of what a test names symbolically in requests and answers; nil: nothing
}

// complain fails the test for our server; of somebody else's it notes that it departs from registry-api.md.
func (s *server) complain(format string, args ...any) {
	s.t.Helper()
	if s.reg == nil {
		s.t.Logf("the other registry differs: "+format, args...)
		return
	}
	s.t.Errorf(format, args...)
}

func (s *server) expand(text string) string {
	if s.vars == nil {
		return text
	}
	return s.vars.Replace(text)
}

// start serves a fresh registry on a log.
func start(t testing.TB, log *logtest.Memory, opts registry.Options) *server {
	t.Helper()
	s := serve(t, log, opts)
	s.log = log
	return s
}

func serve(t testing.TB, log registry.Log, opts registry.Options) *server {
	t.Helper()
	reg, err := registry.Open(t.Context(), log, opts)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(reg)
	t.Cleanup(func() { web.Close(); reg.Close() })
	return &server{t: t, url: web.URL, reg: reg}
}

func fresh(t testing.TB) *server { return start(t, logtest.NewMemory(), registry.Options{}) }

// underTest is our server, or the one that STRIPELINE_TEST_REGISTRY names.
func underTest(t testing.TB) *server {
	if other := os.Getenv("STRIPELINE_TEST_REGISTRY"); other != "" {
		return &server{t: t, url: strings.TrimSuffix(other, "/")}
	}
	return fresh(t)
}

// answer is a response with its body read.
type answer struct {
	status int
	body   string
	header http.Header
}

// do sends "METHOD /path" with a body, "" for none.
func (s *server) do(verb, body string) answer {
	s.t.Helper()
	return s.send(verb, body, http.Header{"Content-Type": {v1json}})
}

func (s *server) send(verb, body string, header http.Header) answer {
	s.t.Helper()
	method, path, _ := strings.Cut(verb, " ")
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, string(got), res.Header}
}

// want sends and compares the status and the body; a body that begins with { or [ is compared as JSON, "" with nothing.
func (s *server) want(verb, body string, status int, expected string) {
	s.t.Helper()
	verb, body = s.expand(verb), s.expand(body)
	got := s.do(verb, body)
	if got.status != status {
		s.complain("%s %s: status %d, want %d: %s", verb, body, got.status, status, got.body)
		return
	}
	if expected != "" && !sameJSON(got.body, s.expand(expected)) {
		s.complain("%s %s:\n got %s\nwant %s", verb, body, got.body, s.expand(expected))
	}
}

// fails sends and compares the error code, and the message unless it is "".
func (s *server) fails(verb, body string, code int, message string) {
	s.t.Helper()
	verb, body = s.expand(verb), s.expand(body)
	got := s.do(verb, body)
	var e struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(got.body), &e); err != nil {
		s.complain("%s %s: status %d, the body is not an error: %s", verb, body, got.status, got.body)
		return
	}
	status, message := code, s.expand(message)
	for status > 999 {
		status /= 10
	}
	if got.status != status || e.Code != code || (message != "" && e.Message != message) {
		s.complain("%s %s:\n got %d %d %q\nwant %d %d %q", verb, body, got.status, e.Code, e.Message, status, code, message)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return bytes.Equal(p, q)
}

// quoted is a registration body for a schema text.
func quoted(text string) string {
	b, _ := json.Marshal(map[string]string{"schema": text})
	return string(b)
}

// record is a record schema with the given fields, each "name:type" or "name:type=default".
func record(name string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"record","name":"%s","fields":[`, name)
	for i, field := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		name, kind, _ := strings.Cut(field, ":")
		kind, def, hasDefault := strings.Cut(kind, "=")
		fmt.Fprintf(&b, `{"name":"%s","type":"%s"`, name, kind)
		if hasDefault {
			fmt.Fprintf(&b, `,"default":%s`, def)
		}
		b.WriteByte('}')
	}
	b.WriteString("]}")
	return b.String()
}

func (s *server) register(subject, text string) int {
	s.t.Helper()
	return s.registerBody(subject, quoted(text))
}

func (s *server) registerBody(subject, body string) int {
	s.t.Helper()
	got := s.do("POST /subjects/"+url.PathEscape(s.expand(subject))+"/versions", s.expand(body))
	var id struct{ ID int }
	if got.status != 200 || json.Unmarshal([]byte(got.body), &id) != nil {
		s.complain("register in %s: %d %s", subject, got.status, got.body)
	}
	return id.ID
}
