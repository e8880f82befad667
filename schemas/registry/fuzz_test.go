package registry_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// FuzzRequests sends any body to any path: every answer is JSON with a right status, and the registry goes on.
func FuzzRequests(f *testing.F) {
	for _, seed := range [][3]string{
		{"POST", "/subjects/s/versions", quoted(`{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}`)},
		{"POST", "/compatibility/subjects/s/versions/latest?verbose=true", quoted(`["int",["int"]]`)},
		{"POST", "/subjects/s?normalize=true", `{"schema":"{}","references":[{"name":"n","subject":"s","version":-1}]}`},
		{"PUT", "/config/a%2fb", `{"compatibility":"none","normalize":null,"defaultMetadata":{}}`},
		{"PUT", "/mode?force=true", `{"mode":"IMPORT"}`},
		{"DELETE", "/subjects/s/versions/1?permanent=true", ``},
		{"GET", "/contexts/:.x:/schemas/ids/1?subject=%00", ``},
		{"GET", "/schemas?offset=-5&limit=9223372036854775807", ``},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		reg, err := registry.Open(t.Context(), logtest.NewMemory(), registry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer reg.Close()
		if strings.ContainsAny(method, " \r\n\t") || method == "" || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \r\n\t") {
			return
		}
		for range 2 {
			req := httptest.NewRequest("GET", "/", strings.NewReader(body))
			req.Method = method
			parsed, err := req.URL.Parse(path)
			if err != nil {
				return
			}
			req.URL = parsed
			rec := httptest.NewRecorder()
			reg.ServeHTTP(rec, req)
			if rec.Code == 500 || rec.Code < 200 {
				t.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
			}
			raw := strings.HasSuffix(parsed.Path, "/schema") || strings.HasSuffix(strings.Trim(parsed.Path, "/"), "z") || method == "HEAD"
			if !raw && !json.Valid(rec.Body.Bytes()) {
				t.Errorf("%s %s: not JSON: %s", method, path, rec.Body)
			}
		}
	})
}

// FuzzLog replays any record: it is taken or left, and what is shown afterwards is JSON.
func FuzzLog(f *testing.F) {
	for line := range strings.Lines(foreign) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			f.Add([]byte(key), []byte(value))
		}
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		log := logtest.NewMemory()
		for _, v := range [][]byte{value, nil, value} {
			if _, err := log.Append(t.Context(), 0, []registry.Record{{Key: key, Value: v}}); err != nil {
				t.Fatal(err)
			}
		}
		reg, err := registry.Open(t.Context(), log, registry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer reg.Close()
		for _, path := range []string{"/schemas?deleted=true", "/subjects?deleted=true", "/config", "/mode", "/contexts"} {
			rec := httptest.NewRecorder()
			reg.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
			if rec.Code != 200 || !json.Valid(rec.Body.Bytes()) {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
	})
}

// TestDense checks two schemas of many types that all mention one another: the check is not to try every pair of them.
func TestDense(t *testing.T) {
	const types = 250
	dense := func(extra string) string {
		var b strings.Builder
		b.WriteString(`{"type":"record","name":"Top","fields":[`)
		for i := range types {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"name":"f%d","type":{"type":"record","name":"R%d","fields":[{"name":"u","type":["null"`, i, i)
			for j := range i {
				fmt.Fprintf(&b, `,"R%d"`, j)
			}
			b.WriteString(`]}]}}`)
		}
		return b.String() + extra + "]}"
	}
	s := fresh(t)
	s.want("PUT /config", `{"compatibility":"FULL_TRANSITIVE"}`, 200, "")
	s.register("s", dense(""))
	s.register("s", dense(`,{"name":"x","type":"int","default":1}`))
	s.fails("POST /subjects/s/versions", quoted(dense(`,{"name":"y","type":"int"}`)), 409, "")
}

// TestBombs are schemas made to cost: each is refused or taken, quickly and without much memory.
func TestBombs(t *testing.T) {
	s := fresh(t)
	var wide strings.Builder
	wide.WriteString(`{"type":"record","name":"W","fields":[`)
	for i := range 20000 {
		if i > 0 {
			wide.WriteByte(',')
		}
		wide.WriteString(`{"name":"f` + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + `","type":"int"}`)
	}
	wide.WriteString("]}")
	for name, text := range map[string]string{
		"deep":      strings.Repeat(`{"type":"array","items":`, 20000) + `"int"` + strings.Repeat("}", 20000),
		"deeper":    strings.Repeat("[", 500000),
		"huge name": `{"type":"fixed","size":1,"name":"` + strings.Repeat("n", 900000) + `"`,
		"wide":      wide.String(),
		"2 MiB":     `{"type":"enum","name":"E","symbols":["` + strings.Repeat("A", 2<<20) + `"]}`,
		"recursive": `{"type":"record","name":"R","fields":[{"name":"r","type":"R","default":{}}]}`,
		"no fields": `{"type":"record","name":"R"}`,
		"self":      `{"type":"R","name":"R"}`,
	} {
		if got := s.do("POST /subjects/s/versions", quoted(text)); got.status != 422 {
			t.Errorf("%s: %d %.200s", name, got.status, got.body)
		}
	}
}
