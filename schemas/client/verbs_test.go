package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"stripeline/schemas/client"
)

// TestRepeats: what may have been done is only repeated where that is harmless.
func TestRepeats(t *testing.T) {
	for _, c := range []struct {
		status   int
		body     string
		deletes  int64
		readings int64
		kind     error
	}{
		{500, `{"error_code":50001,"message":"store"}`, 1, 3, client.ErrUnreachable},
		{500, `{"error_code":50004,"message":"no leader"}`, 3, 3, client.ErrUnreachable},
		{500, `{"error_code":50003,"message":"not the leader"}`, 3, 3, client.ErrUnreachable},
		{502, `<html>bad gateway</html>`, 1, 3, client.ErrUnreachable},
		{429, `{}`, 3, 3, nil},
		{404, `{"error_code":40401,"message":"gone"}`, 1, 1, client.ErrNotFound},
		{401, `{"error_code":401,"message":"who"}`, 1, 1, client.ErrRefused},
		{409, `{"error_code":40901,"message":"no"}`, 1, 1, client.ErrIncompatible},
		{422, `{"error_code":42201,"message":"no"}`, 1, 1, client.ErrInvalid},
		{302, ``, 1, 1, nil},
	} {
		bubble(t, client.Config{Attempts: 3}, func(t *testing.T, cl *client.Client, w *wire) {
			w.misbehave(func(*http.Request) (*http.Response, error) { return says(c.status, c.body), nil })
			w.since(t, c.deletes, func() {
				if _, err := cl.DeleteSubject(t.Context(), "s", client.Soft); err == nil || (c.kind != nil && !errors.Is(err, c.kind)) {
					t.Errorf("%d: delete says %v", c.status, err)
				}
			})
			w.since(t, c.readings, func() {
				if _, err := cl.Versions(t.Context(), "s"); err == nil || (c.kind != nil && !errors.Is(err, c.kind)) {
					t.Errorf("%d: versions says %v", c.status, err)
				}
			})
		})
	}
}

func TestLargeAnswer(t *testing.T) {
	bubble(t, client.Config{MaxResponse: 1000}, func(t *testing.T, c *client.Client, w *wire) {
		w.misbehave(func(*http.Request) (*http.Response, error) {
			return says(200, `{"schema":"`+strings.Repeat("x", 2000)+`"}`), nil
		})
		w.since(t, 1, func() {
			if _, err := c.ByID(t.Context(), 1); !errors.Is(err, client.ErrResponse) {
				t.Errorf("error %v", err)
			}
		})
	})
}

func TestConfigErrors(t *testing.T) {
	for _, config := range []client.Config{
		{},
		{URLs: []string{"localhost:8081"}},
		{URLs: []string{"http://"}},
		{URLs: []string{"ftp://x"}},
		{URLs: []string{"http://me:geheim@x"}},
		{URLs: []string{"http://x"}, User: "u", Bearer: "b"},
	} {
		if _, err := client.Open(config); !errors.Is(err, client.ErrConfig) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%+v: %v", config.URLs, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	for _, c := range []struct {
		config client.Config
		want   string
	}{
		{client.Config{User: "u", Password: "p"}, "Basic dTpw"},
		{client.Config{Bearer: "token"}, "Bearer token"},
		{client.Config{}, ""},
	} {
		bubble(t, c.config, func(t *testing.T, cl *client.Client, w *wire) {
			w.misbehave(func(req *http.Request) (*http.Response, error) {
				if got := req.Header.Get("Authorization"); got != c.want {
					t.Errorf("sent %q, want %q", got, c.want)
				}
				return nil, nil
			})
			if _, err := cl.Subjects(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerbs(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, w *wire) {
		ctx := t.Context()
		register(t, c, "a/b", `{"type":"record","name":"R","fields":[]}`)
		if got, err := c.Subjects(ctx); err != nil || fmt.Sprint(got) != "[a/b]" {
			t.Errorf("subjects %v %v", got, err)
		}
		if v, err := c.Lookup(ctx, "a/b", client.Schema{Text: `{"name":"R","type":"record","fields":[]}`}); err != nil || v.Number != 1 {
			t.Errorf("lookup %+v %v", v, err)
		}
		grown := client.Schema{Text: `{"type":"record","name":"R","fields":[{"name":"f","type":"int"}]}`}
		if v, err := c.Check(ctx, "a/b", grown); err != nil || v.Compatible || len(v.Messages) == 0 {
			t.Errorf("check %+v %v", v, err)
		}
		if v, err := c.CheckVersion(ctx, client.Version{Subject: "a/b", Number: -1}, grown); err != nil || v.Compatible {
			t.Errorf("check version %+v %v", v, err)
		}
		if _, err := c.Register(ctx, "a/b", grown); !errors.Is(err, client.ErrIncompatible) {
			t.Errorf("register %v", err)
		}
		if err := c.SetCompatibility(ctx, "a/b", "NONE"); err != nil {
			t.Error(err)
		}
		if level, err := c.Compatibility(ctx, "a/b"); err != nil || level != "NONE" {
			t.Errorf("level %s %v", level, err)
		}
		if err := c.SetCompatibility(ctx, "a/b", ""); err != nil {
			t.Error(err)
		}
		if level, err := c.Compatibility(ctx, "a/b"); err != nil || level != "BACKWARD" {
			t.Errorf("level %s %v", level, err)
		}
		if err := c.SetMode(ctx, "a/b", "READONLY", client.Unforced); err != nil {
			t.Error(err)
		}
		if mode, err := c.Mode(ctx, "a/b"); err != nil || mode != "READONLY" {
			t.Errorf("mode %s %v", mode, err)
		}
		if err := c.SetMode(ctx, "a/b", "READWRITE", client.Forced); err != nil {
			t.Error(err)
		}
		if err := c.DeleteVersion(ctx, client.Version{Subject: "a/b", Number: 1}, client.Soft); err != nil {
			t.Error(err)
		}
		if got, err := c.DeleteSubject(ctx, "a/b", client.Permanent); err != nil || fmt.Sprint(got) != "[1]" {
			t.Errorf("delete %v %v", got, err)
		}
		if _, err := c.Versions(ctx, "a/b"); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("versions %v", err)
		}
	})
}

func TestResolved(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, w *wire) {
		register(t, c, "base", `{"type":"fixed","name":"n.B","size":2}`)
		base := client.Reference{Name: "n.B", Subject: "base", Version: 1}
		_, err := c.Register(t.Context(), "mid", client.Schema{Text: `{"type":"record","name":"n.M","fields":[{"name":"b","type":"B"}]}`, References: []client.Reference{base}})
		if err != nil {
			t.Fatal(err)
		}
		id, err := c.Register(t.Context(), "top", client.Schema{Text: `{"type":"record","name":"T","fields":[{"name":"m","type":"n.M"},{"name":"b","type":"n.B"}]}`,
			References: []client.Reference{{Name: "n.M", Subject: "mid", Version: 1}, base}})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"type":"record","name":"T","fields":[{"name":"m","type":{"type":"record","name":"M","namespace":"n","fields":[{"name":"b","type":{"type":"fixed","name":"B","size":2}}]}},{"name":"b","type":"n.B"}]}`
		w.since(t, 3, func() {
			for range 2 {
				if got, err := c.Resolved(t.Context(), id); err != nil || got != want {
					t.Errorf("resolved:\n got %s %v\nwant %s", got, err, want)
				}
			}
		})
	})
}

func TestExportImport(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, from *client.Client, _ *wire) {
		register(t, from, "z", `{"type":"fixed","name":"F","size":2}`)
		register(t, from, "a", `"int"`)
		register(t, from, "a", `"long"`)
		if _, err := from.Register(t.Context(), "b", client.Schema{Text: `{"type":"array","items":"F"}`, References: []client.Reference{{Name: "F", Subject: "z", Version: 1}}}); err != nil {
			t.Fatal(err)
		}
		to, _ := connect(t, client.Config{})
		if err := to.SetMode(t.Context(), "", "IMPORT", client.Unforced); err != nil {
			t.Fatal(err)
		}
		var out []client.Exported
		if err := from.Export(t.Context(), func(e client.Exported) error { out = append(out, e); return to.Import(t.Context(), e) }); err != nil {
			t.Fatal(err)
		}
		var back []client.Exported
		if err := to.Export(t.Context(), func(e client.Exported) error { back = append(back, e); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(out) != 4 || fmt.Sprint(out) != fmt.Sprint(back) {
			t.Errorf("exported %v\nimported %v", out, back)
		}
	})
}
