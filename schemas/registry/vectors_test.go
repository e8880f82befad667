package registry_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vectors reads a file of the folder named by STRIPELINE_VECTORS, which holds others' test data and is not part of the project.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	dir := os.Getenv("STRIPELINE_VECTORS")
	if dir == "" {
		t.Skip("skipped: STRIPELINE_VECTORS names no folder of vectors")
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// TestCompatibilityVectors puts each writer into a subject of its own and asks whether the reader may follow.
func TestCompatibilityVectors(t *testing.T) {
	var file struct {
		Cases []struct {
			Reader, Writer json.RawMessage
			Compatible     bool
		}
	}
	vectors(t, "avro_compat.json", &file)
	s := fresh(t)
	s.want("PUT /config", `{"compatibility":"BACKWARD"}`, 200, "")
	for _, c := range file.Cases {
		s.register("s", string(c.Writer))
		verdict := `{"is_compatible":false}`
		if c.Compatible {
			verdict = `{"is_compatible":true}`
		}
		s.want("POST /compatibility/subjects/s/versions/latest", quoted(string(c.Reader)), 200, verdict)
		s.want("DELETE /subjects/s", "", 200, "")
		s.want("DELETE /subjects/s?permanent=true", "", 200, "")
	}
	t.Logf("%d pairs", len(file.Cases))
}

// TestTextVectors asks for the stored text over HTTP.
func TestTextVectors(t *testing.T) {
	var cases []struct{ Input, Text string }
	vectors(t, "avro_text.json", &cases)
	s := fresh(t)
	s.want("PUT /config", `{"compatibility":"NONE"}`, 200, "")
	ids := map[string]int{}
	for _, c := range cases {
		id := s.register("s", c.Input)
		if was, known := ids[c.Text]; known && was != id {
			t.Errorf("%s has id %d, and %d before", c.Text, id, was)
		}
		ids[c.Text] = id
		if got := s.do("POST /subjects/s", quoted(c.Input)); got.status != 200 {
			t.Errorf("look up %s: %s", c.Input, got.body)
		}
		var shown struct{ Schema string }
		if err := json.Unmarshal([]byte(s.do("POST /subjects/s", quoted(c.Input)).body), &shown); err != nil || shown.Schema != c.Text {
			t.Errorf("stored text of %s:\n got %s\nwant %s", c.Input, shown.Schema, c.Text)
		}
	}
	if len(ids) == 0 {
		t.Error("no vectors")
	}
}
