package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"stripeline/schemas/client"
)

const (
	part      = `{"type":"fixed","name":"n.P","size":2}`
	whole     = `{"type":"record","name":"n.W","fields":[{"name":"p","type":"n.P"},{"name":"a","type":"int"}]}`
	widened   = `{"type":"record","name":"n.W","fields":[{"name":"p","type":"n.P"},{"name":"a","type":"long"}]}`
	otherType = `{"type":"record","name":"n.W","fields":[{"name":"p","type":"n.P"},{"name":"a","type":"string"}]}`
	partless  = `{"type":"record","name":"n.W","fields":[{"name":"a","type":"int"}]}`
)

var toPart = []client.Reference{{Name: "n.P", Subject: "part", Version: 1}}

// TestCheckWhereRegistriesDiffer lets a registry answer as others than ours do.
func TestCheckWhereRegistriesDiffer(t *testing.T) {
	const (
		notFound   = `{"error_code":40401,"message":"Subject not found."}`
		noSuchPath = `{"error_code":404,"message":"HTTP 404 Not Found"}`
		invalid    = `{"error_code":42201,"message":"Invalid schema: Syntax violation"}`
		no         = `{"is_compatible":false}`
	)
	for _, c := range []struct {
		name, subject string
		schema        client.Schema
		tail          string // of the checks that are answered so; "": all
		answer        string
		want          bool
		message       string
		kind          error
	}{
		{"an empty subject is not found", "new", client.Schema{Text: `"int"`}, "", notFound, true, "", nil},
		{"no check against all, compatible", "whole", client.Schema{Text: widened, References: toPart}, "/versions", noSuchPath, true, "", nil},
		{"no check against all, incompatible", "whole", client.Schema{Text: otherType, References: toPart}, "/versions", noSuchPath, false, "a", nil},
		{"no reasons", "whole", client.Schema{Text: otherType, References: toPart}, "", no, false, "cannot read what is there already", nil},
		{"no references, compatible", "whole", client.Schema{Text: widened, References: toPart}, "", invalid, true, "", nil},
		{"no references, incompatible", "whole", client.Schema{Text: otherType, References: toPart}, "", invalid, false, "cannot read what is there already", nil},
		{"no references in what is held", "whole", client.Schema{Text: partless}, "", invalid, true, "", nil},
		{"invalid without references", "part", client.Schema{Text: `"int"`}, "", invalid, false, "", client.ErrInvalid},
		{"invalid with references", "whole", client.Schema{Text: `{"type":"record"}`, References: toPart}, "", invalid, false, "", client.ErrInvalid},
		{"invalid in an empty subject", "new", client.Schema{Text: whole, References: toPart}, "", invalid, false, "", client.ErrInvalid},
	} {
		bubble(t, client.Config{}, func(t *testing.T, cl *client.Client, w *wire) {
			register(t, cl, "part", part)
			if _, err := cl.Register(t.Context(), "whole", client.Schema{Text: whole, References: toPart}); err != nil {
				t.Fatal(err)
			}
			w.misbehave(func(req *http.Request) (*http.Response, error) {
				if !strings.HasPrefix(req.URL.Path, "/compatibility/") || c.tail != "" && !strings.HasSuffix(req.URL.Path, c.tail) {
					return nil, nil
				}
				status := map[string]int{notFound: 404, noSuchPath: 404, invalid: 422, no: 200}[c.answer]
				return says(status, c.answer), nil
			})
			v, err := cl.Check(t.Context(), c.subject, c.schema)
			if c.kind == nil && err != nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%s: %v", c.name, err)
			}
			if v.Compatible != c.want || !strings.Contains(strings.Join(v.Messages, ""), c.message) || (len(v.Messages) > 0) != (c.message != "") {
				t.Errorf("%s: %+v", c.name, v)
			}
		})
	}
}

// TestReferencesToTheNewestAreSentByNumber: not every registry takes -1.
func TestReferencesToTheNewestAreSentByNumber(t *testing.T) {
	bubble(t, client.Config{}, func(t *testing.T, c *client.Client, w *wire) {
		ctx := t.Context()
		register(t, c, "part", part)
		if err := c.SetCompatibility(ctx, "part", "NONE"); err != nil {
			t.Fatal(err)
		}
		register(t, c, "part", strings.Replace(part, "2", "3", 1))
		var sent []string
		w.misbehave(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return nil, err
				}
				sent = append(sent, string(body))
				req.Body = io.NopCloser(strings.NewReader(string(body)))
			}
			return nil, nil
		})
		newest := client.Schema{Text: whole, References: []client.Reference{{Name: "n.P", Subject: "part", Version: -1}}}
		if _, err := c.Check(ctx, "whole", newest); err != nil {
			t.Error(err)
		}
		if _, err := c.Register(ctx, "whole", newest); err != nil {
			t.Error(err)
		}
		if v, err := c.Lookup(ctx, "whole", newest); err != nil || v.References[0].Version != 2 {
			t.Errorf("%+v %v", v, err)
		}
		for _, body := range sent {
			if !strings.Contains(body, `"version":2`) {
				t.Errorf("sent %s", body)
			}
		}
		if len(sent) != 3 || newest.References[0].Version != -1 {
			t.Errorf("%d requests, the caller's reference is %+v", len(sent), newest.References[0])
		}
		lost := client.Schema{Text: whole, References: []client.Reference{{Name: "n.P", Subject: "nobody", Version: -1}}}
		if _, err := c.Register(ctx, "whole", lost); !errors.Is(err, client.ErrInvalid) {
			t.Errorf("a reference to nothing: %v", err)
		}
	})
}
