package registry_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/bcrypt"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/avrotext"
	"stripeline/schemas/registry/logtest"
)

func TestLimits(t *testing.T) {
	s := start(t, logtest.NewMemory(), registry.Options{Limits: registry.Limits{
		Body: 1000, Schema: 400, References: 2, Text: avrotext.Limits{Depth: 12, Names: 2},
	}})
	s.fails("POST /subjects/s/versions", quoted(`"`+strings.Repeat("x", 2000)+`"`), 42209, "Register operation failed because schema is too large")
	s.fails("POST /subjects/s/versions", quoted(`"`+strings.Repeat("x", 500)+`"`), 42209, "")
	s.fails("PUT /config", `{"x":"`+strings.Repeat("x", 2000)+`"}`, 413, "")
	deep := strings.Repeat(`{"type":"array","items":`, 12) + `"int"` + strings.Repeat("}", 12)
	s.fails("POST /subjects/s/versions", quoted(deep), 42201, "")
	three := `[{"type":"fixed","name":"A","size":1},{"type":"fixed","name":"B","size":1},{"type":"fixed","name":"C","size":1}]`
	s.fails("POST /subjects/s/versions", quoted(three), 42201, "")
	s.register("r0", `"int"`)
	for i := range 3 {
		body := fmt.Sprintf(`{"schema":"\"int\"","references":[{"name":"n","subject":"r%d","version":1}]}`, i)
		if got := s.do(fmt.Sprintf("POST /subjects/r%d/versions", i+1), body); (got.status == 200) != (i < 2) {
			t.Errorf("reference depth %d: %d %s", i+1, got.status, got.body)
		}
	}
}

func TestUsers(t *testing.T) {
	line := func(name, password string) string {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return name + ":" + string(hash) + "\n"
	}
	readers, err := registry.ParseUsers("# readers\n\n"+line("reader", "r"), registry.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	writers, err := registry.ParseUsers(line("writer", "w"), registry.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, logtest.NewMemory(), registry.Options{Users: append(readers, writers...)})
	for _, c := range []struct {
		user, password, verb, body string
		status                     int
	}{
		{"", "", "GET /subjects", "", 401},
		{"", "", "GET /nowhere", "", 401},
		{"", "", "GET /healthz", "", 200},
		{"", "", "GET /readyz", "", 200},
		{"reader", "w", "GET /subjects", "", 401},
		{"stranger", "r", "GET /subjects", "", 401},
		{"stranger", "w", "GET /subjects", "", 401},
		{"reader", strings.Repeat("r", 73), "GET /subjects", "", 401},
		{"reader", "r", "GET /subjects", "", 200},
		{"reader", "r", "GET /subjects", "", 200},
		{"reader", "w", "GET /subjects", "", 401},
		{"reader", "r", "POST /subjects/s/versions", quoted(`"int"`), 403},
		{"reader", "r", "PUT /config", `{"compatibility":"NONE"}`, 403},
		{"reader", "r", "DELETE /subjects/s", "", 403},
		{"writer", "w", "POST /subjects/s/versions", quoted(`"int"`), 200},
		{"reader", "r", "POST /subjects/s", quoted(`"int"`), 200},
		{"reader", "r", "POST /compatibility/subjects/s/versions/latest", quoted(`"int"`), 200},
	} {
		req, _ := http.NewRequest("GET", s.url, nil)
		header := http.Header{"Content-Type": {v1json}}
		if c.user != "" {
			req.SetBasicAuth(c.user, c.password)
			header.Set("Authorization", req.Header.Get("Authorization"))
		}
		if got := s.send(c.verb, c.body, header); got.status != c.status {
			t.Errorf("%s as %q: %d, want %d: %s", c.verb, c.user, got.status, c.status, got.body)
		} else if c.status == 401 && got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s as %q: no WWW-Authenticate", c.verb, c.user)
		}
	}
	for _, bad := range []string{"no colon", ":x", "a:$apr1$abc$def", "a:plain"} {
		if _, err := registry.ParseUsers(bad, registry.ReadOnly); err == nil || strings.Contains(err.Error(), "plain") {
			t.Errorf("users %q: %v", bad, err)
		}
	}
}

func TestProbesAndMetrics(t *testing.T) {
	seen := make(chan registry.Request, 10)
	s := start(t, logtest.NewMemory(), registry.Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "metrics") }),
		Observe: func(r registry.Request) { seen <- r },
	})
	s.want("GET /healthz", "", 200, "ok\n")
	s.want("GET /readyz", "", 200, "ready\n")
	if got := s.send("GET /metrics", "", http.Header{"Accept": {"text/plain"}}); got.body != "metrics" {
		t.Errorf("metrics: %d %s", got.status, got.body)
	}
	s.fails("GET /schemas/ids/5", "", 40403, "")
	for _, want := range []string{"/healthz", "/readyz", "/metrics", "/schemas/ids/{}"} {
		if got := <-seen; got.Route != want || got.Method != "GET" {
			t.Errorf("observed %+v, want %s", got, want)
		}
	}
	s.reg.Close()
	s.want("GET /readyz", "", 503, "")
	s.want("GET /healthz", "", 200, "")
	s.fails("POST /subjects/s/versions", quoted(`"int"`), 50001, "")
	fresh(t).fails("GET /metrics", "", 404, "")
}

// TestHead answers HEAD as GET without the body.
func TestHead(t *testing.T) {
	if got := fresh(t).do("HEAD /subjects", ""); got.status != 200 || got.body != "" || got.header.Get("Content-Type") != v1json {
		t.Errorf("HEAD: %+v", got)
	}
}

// TestNothingServedBeforeTheEnd: opening waits for the end that the log has, and no longer than its context.
func TestNothingServedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &heldLog{Memory: handwritten(t, foreign), release: make(chan struct{})}
		opened := make(chan *registry.Registry)
		go func() {
			reg, err := registry.Open(t.Context(), log, registry.Options{})
			if err != nil {
				t.Error(err)
			}
			opened <- reg
		}()
		synctest.Wait()
		select {
		case <-opened:
			t.Error("opened before the log was read")
		default:
		}
		close(log.release)
		reg := <-opened
		if reg.Stats().Subjects == 0 {
			t.Error("opened empty")
		}
		reg.Close()
	})
}

func TestReadyWaitsForTheFirstLeaderAlone(t *testing.T) {
	var now atomic.Pointer[registry.Leadership]
	now.Store(&registry.Leadership{})
	s := start(t, logtest.NewMemory(), registry.Options{Leader: func() registry.Leadership { return *now.Load() }})
	s.want("GET /readyz", "", 503, "")
	now.Store(&registry.Leadership{Address: "http://another"})
	s.want("GET /readyz", "", 200, "ready\n")
	now.Store(&registry.Leadership{})
	s.want("GET /readyz", "", 200, "ready\n")
}
