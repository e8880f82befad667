package registry_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The tests of this file and of conformance_*_test.go go through registry-api.md row by row. With STRIPELINE_TEST_REGISTRY
// they run against another registry and name where it differs; $S and $T are subjects that nobody else uses, $A is a
// schema text of theirs, and $1, $2 the ids of schemas registered before.

// fixture is a server under test with subject names of its own.
type fixture struct {
	*server
	pairs []string
}

func conform(t *testing.T) *fixture {
	f := &fixture{server: underTest(t)}
	unique := strconv.FormatInt(time.Now().UnixNano(), 36)
	f.let("$S", "s-"+unique)
	f.let("$T", "t-"+unique)
	f.let("$U", "u"+unique)
	return f
}

func (f *fixture) let(name, value string) {
	f.pairs = append(f.pairs, name, value)
	f.vars = strings.NewReplacer(f.pairs...)
}

// v registers a record $U with the given fields in a subject and lets $n be its id.
func (f *fixture) v(subject string, n int, fields ...string) {
	f.t.Helper()
	id := f.register(f.expand(subject), f.expand(record("$U", fields...)))
	f.let("$"+strconv.Itoa(n), strconv.Itoa(id))
}

func TestTransport(t *testing.T) {
	f := conform(t)
	f.want("GET /", "", 200, `{}`)
	f.want("POST /", "", 200, `{}`)
	f.fails("GET /nothing/here", "", 404, "HTTP 404 Not Found")
	f.fails("GET /schemas/ids/x", "", 404, "HTTP 404 Not Found")
	f.fails("GET /schemas/guids/0a1b", "", 404, "HTTP 404 Not Found")
	f.fails("POST /subjects/$S/versions/1/tags", "{}", 404, "HTTP 404 Not Found")
	f.fails("DELETE /contexts/.x", "", 404, "HTTP 404 Not Found")
	f.fails("PUT /subjects", "{}", 405, "HTTP 405 Method Not Allowed")
	f.want("PUT /config/$S", `{"compatibility":"FULL","unheardOf":[1]}`, 200, `{"compatibility":"FULL"}`)
	f.v("a/b $S", 1, "a:int")
	f.want("GET /subjects/a%2Fb%20$S/versions", "", 200, `[1]`)
	f.want("GET /subjects?subjectPrefix=a/b%20$S", "", 200, `["a/b $S"]`)
	f.want("GET /subjects?subjectPrefix=:*:a/b%20$S&offset=1", "", 200, `[]`)
	f.want("GET /subjects?subjectPrefix=a/b%20$S&limit=0", "", 200, `[]`)
}

func TestContentTypes(t *testing.T) {
	s := underTest(t)
	for _, c := range []struct{ accept, want string }{
		{"", v1json},
		{"*/*", v1json},
		{"application/json", "application/json"},
		{"application/vnd.schemaregistry+json", "application/vnd.schemaregistry+json"},
		{"application/json, application/vnd.schemaregistry+json", "application/vnd.schemaregistry+json"},
		{"application/vnd.schemaregistry.v1+json; q=0.1, application/json", "application/json"},
		{"text/html, application/*;q=0.2", v1json},
		{"application/vnd.schemaregistry.v1+json;q=0, */*", "application/vnd.schemaregistry+json"},
	} {
		header := http.Header{}
		if c.accept != "" {
			header.Set("Accept", c.accept)
		}
		if got := s.send("GET /subjects", "", header); got.header.Get("Content-Type") != c.want || got.status != 200 {
			s.complain("Accept %q: %d %q, want %q", c.accept, got.status, got.header.Get("Content-Type"), c.want)
		}
	}
	got := s.send("GET /subjects", "", http.Header{"Accept": {"text/html"}})
	if got.status != 406 || got.body != `{"error_code":406,"message":"HTTP 406 Not Acceptable"}` {
		s.complain("Accept text/html: %d %s", got.status, got.body)
	}
}

func TestBodyTypes(t *testing.T) {
	s := fresh(t)
	for kind, want := range map[string]int{
		"": 200, v1json: 200, "application/vnd.schemaregistry+json": 200, "application/json": 200,
		"application/octet-stream": 200, "application/json; charset=utf-8": 200, "Application/JSON;charset=\"UTF-8\"": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=klingon": 415, ";": 415,
	} {
		got := s.send("PUT /config", `{"compatibility":"NONE"}`, http.Header{"Content-Type": {kind}})
		if got.status != want {
			t.Errorf("Content-Type %q: %d, want %d: %s", kind, got.status, want, got.body)
		}
		if want == 415 && got.body != `{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}` {
			t.Errorf("Content-Type %q: %s", kind, got.body)
		}
	}
	body := "{\"schema\":\"{\\\"type\\\":\\\"enum\\\",\\\"name\\\":\\\"E\\\",\\\"doc\\\":\\\"\xe9\\\",\\\"symbols\\\":[]}\"}"
	s.send("POST /subjects/latin/versions", body, http.Header{"Content-Type": {"application/json; charset=ISO-8859-1"}})
	s.want("GET /subjects/latin/versions/1/schema", "", 200, `{"type":"enum","name":"E","doc":"é","symbols":[]}`)
}

func TestBadBodies(t *testing.T) {
	s := fresh(t)
	for _, c := range []struct {
		verb, body string
		code       int
	}{
		{"POST /subjects/s/versions", ``, 42201},
		{"POST /subjects/s/versions", `{}`, 42201},
		{"POST /subjects/s/versions", `{"schema":null}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"  "}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"{"}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"{} {}"}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"nonsense"}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"\"int\"","schemaType":"FOO"}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"\"int\"","version":7}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"\"int\"","references":[{"name":"n","subject":"none","version":1}]}`, 42201},
		{"POST /subjects/s/versions", `{"schema":"\"in`, 400},
		{"POST /subjects/s/versions", `[]`, 400},
		{"POST /subjects/s/versions", `{"schema":5}`, 400},
		{"POST /subjects/__GLOBAL/versions", `{"schema":"\"int\""}`, 42208},
		{"POST /subjects/a%00b/versions", `{"schema":"\"int\""}`, 42208},
		{"PUT /config", ``, 42203},
		{"PUT /config", `{"compatibility":"SOME"}`, 42203},
		{"PUT /config/__EMPTY", `{"compatibility":"NONE"}`, 42208},
		{"PUT /mode", ``, 42204},
		{"PUT /mode", `{"mode":"SLEEP"}`, 42204},
		{"GET /schemas/ids/99999999999", ``, 404},
		{"GET /subjects?limit=x", ``, 404},
	} {
		s.fails(c.verb, c.body, c.code, "")
	}
	s.want("GET /subjects?deleted=true", "", 200, `[]`)
}

func TestTypesAndMetadata(t *testing.T) {
	f := conform(t)
	got := f.do("GET /schemas/types", "").body
	for _, kind := range []string{`"JSON"`, `"PROTOBUF"`, `"AVRO"`} {
		if !strings.Contains(got, kind) {
			f.complain("types are %s", got)
		}
	}
	s := fresh(t)
	s.want("GET /v1/metadata/id", "", 200, `{"id":"","scope":{"path":[],"clusters":{"kafka-cluster":"","schema-registry-cluster":"schema-registry"}}}`)
	s.want("GET /v1/metadata/version", "", 200, `{"version":"stripeline","commitId":""}`)
}

func TestByID(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	f.v("$T", 1, "a:int")
	text := record("$U", "a:int")
	f.want("GET /schemas/ids/$1", "", 200, quoted(text))
	f.want("GET /schemas/ids/$1/schema", "", 200, text)
	f.want("GET /schemas/ids/$1/subjects", "", 200, `["$S","$T"]`)
	f.want("GET /schemas/ids/$1/versions", "", 200, `[{"subject":"$S","version":1},{"subject":"$T","version":1}]`)
	f.want("GET /schemas/ids/$1/versions?offset=1&limit=1", "", 200, `[{"subject":"$T","version":1}]`)
	f.fails("GET /schemas/ids/2000000000", "", 40403, "Schema 2000000000 not found")
	f.fails("GET /schemas/ids/2000000000/schema", "", 40403, "Schema 2000000000 not found")
	f.fails("GET /schemas/ids/2000000000/subjects", "", 40403, "Schema not found")
	f.fails("GET /schemas/ids/2000000000/versions", "", 40403, "Schema not found")
	f.want("DELETE /subjects/$T", "", 200, `[1]`)
	f.want("GET /schemas/ids/$1/subjects", "", 200, `["$S"]`)
	f.want("DELETE /subjects/$S", "", 200, `[1]`)
	f.want("GET /schemas/ids/$1", "", 200, quoted(text))
	f.want("GET /schemas/ids/$1/subjects", "", 200, `[]`)
	f.want("GET /schemas/ids/$1/versions", "", 200, `[]`)
	f.want("GET /schemas/ids/$1/subjects?deleted=true", "", 200, `["$S","$T"]`)
	s := fresh(t)
	s.register("s", `"int"`)
	s.want("GET /schemas/ids/1?fetchMaxId=true", "", 200, `{"schema":"\"int\"","maxId":1}`)
	if got := s.do("GET /schemas/ids/1/schema", ""); got.body != `"int"` || got.header.Get("Content-Type") != v1json {
		t.Errorf("schema text is %q as %q", got.body, got.header.Get("Content-Type"))
	}
}

func TestVersions(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	f.v("$S", 2, "a:int", "b:int=1")
	second := fmt.Sprintf(`{"subject":"$S","version":2,"id":$2,"schema":%q}`, record("$U", "a:int", "b:int=1"))
	f.want("GET /subjects/$S/versions", "", 200, `[1,2]`)
	f.want("GET /subjects/$S/versions?offset=1&limit=5", "", 200, `[2]`)
	f.want("GET /subjects/$S/versions/2", "", 200, second)
	f.want("GET /subjects/$S/versions/latest", "", 200, second)
	f.want("GET /subjects/$S/versions/-1", "", 200, second)
	f.want("GET /subjects/$S/versions/2/schema", "", 200, record("$U", "a:int", "b:int=1"))
	f.fails("GET /subjects/$T/versions", "", 40401, "Subject '$T' not found.")
	f.fails("GET /subjects/$T/versions/1", "", 40401, "Subject '$T' not found.")
	f.fails("GET /subjects/$S/versions/3", "", 40402, "Version 3 not found.")
	for _, bad := range []string{"0", "-2", "x", "2147483648"} {
		f.fails("GET /subjects/$S/versions/"+bad, "", 42202, "The specified version '"+bad+"' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"")
	}
	f.want("POST /subjects/$S/versions", quoted(record("$U", "a:int")), 200, `{"id":$1}`)
	f.want("GET /subjects/$S/versions", "", 200, `[1,2]`)
	f.want("DELETE /subjects/$S/versions/1", "", 200, `1`)
	f.want("GET /subjects/$S/versions?deleted=true", "", 200, `[1,2]`)
	f.want("GET /subjects/$S/versions?deletedOnly=true", "", 200, `[1]`)
	f.want("GET /subjects/$S/versions?deleted=true&deletedAsNegative=true", "", 200, `[-1,2]`)
}

func TestLookup(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	found := fmt.Sprintf(`{"subject":"$S","version":1,"id":$1,"schema":%q}`, record("$U", "a:int"))
	f.want("POST /subjects/$S", quoted(record("$U", "a:int")), 200, found)
	f.want("POST /subjects/$S", quoted(`{"fields":[{"type":{"type":"int"},"name":"a"}],"name":"$U","type":"record"}`), 200, found)
	f.fails("POST /subjects/$T", quoted(record("$U", "a:int")), 40401, "Subject '$T' not found.")
	f.fails("POST /subjects/$S", quoted(record("$U", "b:int")), 40403, "Schema not found")
	f.fails("POST /subjects/$S", quoted("rubbish"), 42201, "")
	f.want("DELETE /subjects/$S", "", 200, `[1]`)
	f.fails("POST /subjects/$S", quoted(record("$U", "a:int")), 40401, "Subject '$S' not found.")
	if f.reg != nil {
		f.want("POST /subjects/$S?deleted=true", quoted(record("$U", "a:int")), 200, strings.TrimSuffix(found, "}")+`,"deleted":true}`)
	}
}

func TestSchemasList(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	f.v("$S", 2, "a:int", "b:int=1")
	first := fmt.Sprintf(`{"subject":"$S","version":1,"id":$1,"schema":%q}`, record("$U", "a:int"))
	second := fmt.Sprintf(`{"subject":"$S","version":2,"id":$2,"schema":%q}`, record("$U", "a:int", "b:int=1"))
	f.want("GET /schemas?subjectPrefix=$S", "", 200, "["+first+","+second+"]")
	f.want("GET /schemas?subjectPrefix=$S&latestOnly=true", "", 200, "["+second+"]")
	f.want("GET /schemas?subjectPrefix=$S&offset=1&limit=1", "", 200, "["+second+"]")
	f.want("GET /schemas?subjectPrefix=$T", "", 200, "[]")
}
