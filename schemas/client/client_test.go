package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stripeline/schemas/client"
	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// wire is a transport that calls a server in the process, counts requests and may misbehave.
type wire struct {
	server  http.Handler
	calls   atomic.Int64
	mu      sync.Mutex
	instead func(*http.Request) (*http.Response, error) // answers instead of the server where it gives something
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.calls.Add(1)
	w.mu.Lock()
	answer := w.instead
	w.mu.Unlock()
	if answer != nil {
		if res, err := answer(req); res != nil || err != nil {
			return res, err
		}
	}
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, req)
	return rec.Result(), nil
}

func (w *wire) misbehave(how func(*http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.instead = how
}

func says(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}
}

// connect opens a registry and a client of it, in a bubble of fake time.
func connect(t *testing.T, config client.Config) (*client.Client, *wire) {
	t.Helper()
	reg, err := registry.Open(t.Context(), logtest.NewMemory(), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	w := &wire{server: reg}
	config.Transport = w
	if config.URLs == nil {
		config.URLs = []string{"http://a"}
	}
	c, err := client.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, w
}

func bubble(t *testing.T, config client.Config, run func(*testing.T, *client.Client, *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, w := connect(t, config)
		run(t, c, w)
	})
}

func (w *wire) since(t *testing.T, want int64, do func()) {
	t.Helper()
	before := w.calls.Load()
	do()
	if got := w.calls.Load() - before; got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
}

func register(t *testing.T, c *client.Client, subject, text string) int {
	t.Helper()
	id, err := c.Register(t.Context(), subject, client.Schema{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestIDsForEver(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, w *wire) {
		id := register(t, c, "s", `"int"`)
		for i, want := range []int64{1, 0, 0} {
			w.since(t, want, func() {
				s, err := c.ByID(t.Context(), id)
				if err != nil || s.Text != `"int"` || s.Type != "AVRO" || s.ID != id {
					t.Errorf("round %d: %+v, %v", i, s, err)
				}
			})
			time.Sleep(1000 * time.Hour)
		}
	})
}

func TestLatestExpires(t *testing.T) {
	bubble(t, client.Config{LatestTTL: time.Minute}, func(t *testing.T, c *client.Client, w *wire) {
		register(t, c, "s", `"int"`)
		latest := func(want string, requests int64, get func(context.Context, string) (client.Version, error)) {
			t.Helper()
			w.since(t, requests, func() {
				if v, err := get(t.Context(), "s"); err != nil || v.Text != want {
					t.Errorf("latest is %+v, %v; want %s", v, err, want)
				}
			})
		}
		latest(`"int"`, 1, c.Latest)
		other, _ := client.Open(client.Config{URLs: []string{"http://a"}, Transport: w})
		register(t, other, "s", `"long"`)
		latest(`"int"`, 0, c.Latest)
		latest(`"long"`, 1, c.Refresh)
		register(t, other, "s", `"double"`)
		time.Sleep(59 * time.Second)
		latest(`"long"`, 0, c.Latest)
		time.Sleep(2 * time.Second)
		latest(`"double"`, 1, c.Latest)
		register(t, c, "s", `["double","string"]`)
		latest(`["double","string"]`, 1, c.Latest)
		w.since(t, 0, func() {
			if s, err := c.ByID(t.Context(), 4); err != nil || s.Text != `["double","string"]` {
				t.Errorf("id learned with its version: %+v %v", s, err)
			}
		})
	})
}

func TestAbsenceIsKept(t *testing.T) {
	bubble(t, client.Config{NegativeTTL: time.Minute}, func(t *testing.T, c *client.Client, w *wire) {
		ask := func() {
			if _, err := c.ByID(t.Context(), 1); !errors.Is(err, client.ErrNotFound) {
				t.Errorf("unknown id: %v", err)
			}
			if _, err := c.Latest(t.Context(), "s"); !errors.Is(err, client.ErrNotFound) {
				t.Errorf("unknown subject: %v", err)
			}
		}
		w.since(t, 2, ask)
		w.since(t, 0, ask)
		time.Sleep(61 * time.Second)
		w.since(t, 2, ask)
		register(t, c, "s", `"int"`)
		if v, err := c.Latest(t.Context(), "s"); err != nil || v.Number != 1 {
			t.Errorf("after registering: %+v %v", v, err)
		}
	})
}

func TestOneFlightPerKey(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, w *wire) {
		id := register(t, c, "s", `"int"`)
		gate := make(chan struct{})
		w.misbehave(func(*http.Request) (*http.Response, error) { <-gate; return nil, nil })
		w.since(t, 1, func() {
			impatient, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := c.ByID(impatient, id); !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled caller got %v", err)
				}
			})
			synctest.Wait()
			for range 50 {
				all.Go(func() {
					if s, err := c.ByID(t.Context(), id); err != nil || s.Text != `"int"` {
						t.Errorf("%+v %v", s, err)
					}
				})
			}
			synctest.Wait()
			cancel()
			synctest.Wait()
			close(gate)
			all.Wait()
		})
	})
}

// TestRefreshOvertakes: what was asked before a refresh neither answers it nor is kept after it.
func TestRefreshOvertakes(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, w *wire) {
		register(t, c, "s", `"int"`)
		gate := make(chan struct{})
		w.misbehave(func(*http.Request) (*http.Response, error) {
			<-gate
			return says(200, `{"subject":"s","version":1,"id":1,"schema":"\"int\""}`), nil
		})
		var slow sync.WaitGroup
		slow.Go(func() {
			if v, err := c.Latest(t.Context(), "s"); err != nil || v.Number != 1 {
				t.Errorf("slow: %+v %v", v, err)
			}
		})
		synctest.Wait()
		w.misbehave(nil)
		other, _ := client.Open(client.Config{URLs: []string{"http://a"}, Transport: w})
		register(t, other, "s", `"long"`)
		if v, err := c.Refresh(t.Context(), "s"); err != nil || v.Number != 2 {
			t.Errorf("refreshed: %+v %v", v, err)
		}
		close(gate)
		slow.Wait()
		if v, err := c.Latest(t.Context(), "s"); err != nil || v.Number != 2 {
			t.Errorf("afterwards: %+v %v", v, err)
		}
	})
}

func TestOtherURL(t *testing.T) {
	bubble(t, client.Config{URLs: []string{"http://a", "http://b"}}, func(t *testing.T, c *client.Client, w *wire) {
		w.misbehave(func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "a" {
				return says(500, `{"error_code":50003,"message":"not the leader"}`), nil
			}
			return nil, nil
		})
		w.since(t, 2, func() { register(t, c, "s", `"int"`) })
		w.since(t, 1, func() { register(t, c, "s", `"int"`) })
	})
}

func TestBackoff(t *testing.T) {
	bubble(t, client.Config{Attempts: 4, Backoff: time.Second}, func(t *testing.T, c *client.Client, w *wire) {
		w.misbehave(func(*http.Request) (*http.Response, error) { return nil, errors.New("cable cut") })
		start := time.Now()
		w.since(t, 4, func() {
			_, err := c.Subjects(t.Context())
			if !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), "http://a") {
				t.Errorf("error %v", err)
			}
		})
		if took := time.Since(start); took < 3500*time.Millisecond || took > 7*time.Second {
			t.Errorf("4 attempts took %v, want pauses of about 1, 2 and 4 s with jitter", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.Subjects(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline's", err)
		}
	})
}
