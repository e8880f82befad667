package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// TestReplay does anything in any order; what a registry shows then is what another shows that reads the log, compacted or
// not, and no id was ever two schemas'.
func TestReplay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := logtest.NewMemory()
		s := start(t, log, registry.Options{})
		ids := map[string]string{}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			verb, body := step(rt)
			got := s.do(verb, body)
			if got.status >= 500 {
				rt.Fatalf("%s %s: %d %s", verb, body, got.status, got.body)
			}
			if strings.HasSuffix(verb, "/versions") && got.status == 200 {
				key := contextOfPath(verb) + got.body
				if was, known := ids[key]; known && was != body {
					rt.Fatalf("%s stands for %s and for %s", key, was, body)
				}
				ids[key] = body
			}
		}
		want := dump(s)
		if got := dump(start(t, log, registry.Options{})); got != want {
			rt.Fatalf("replayed:\n%s\nwant\n%s", got, want)
		}
		log.Compact()
		again := start(t, log, registry.Options{})
		if got := dump(again); got != want {
			rt.Fatalf("replayed after compaction:\n%s\nwant\n%s", got, want)
		}
		again.do("PUT /config", `{"compatibility":"NONE"}`)
		again.do("PUT /mode", `{"mode":"READWRITE"}`)
		for key, body := range ids {
			if strings.HasPrefix(key, ".{") {
				if got := again.do("POST /subjects/fresh/versions", body); got.body != strings.TrimPrefix(key, ".") {
					rt.Fatalf("%s got id %s, had %s", body, got.body, key)
				}
			}
		}
	})
}

func contextOfPath(verb string) string {
	if strings.Contains(verb, ":.x:") {
		return ".x"
	}
	return "."
}

// step is a random request.
func step(rt *rapid.T) (verb, body string) {
	subject := rapid.SampledFrom([]string{"a", "b", ":.x:a"}).Draw(rt, "subject")
	version := rapid.SampledFrom([]string{"1", "2", "3", "latest"}).Draw(rt, "version")
	permanent := rapid.SampledFrom([]string{"", "?permanent=true"}).Draw(rt, "permanent")
	text := quoted(rapid.SampledFrom([]string{`"int"`, `"long"`, `"string"`, `["int","string"]`, `{"type":"fixed","name":"F","size":1}`}).Draw(rt, "schema"))
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0:
		return "DELETE /subjects/" + subject + permanent, ""
	case 1, 2:
		return "DELETE /subjects/" + subject + "/versions/" + version + permanent, ""
	case 3:
		level := rapid.SampledFrom([]string{"NONE", "BACKWARD", "FULL_TRANSITIVE"}).Draw(rt, "level")
		return "PUT /config/" + subject, `{"compatibility":"` + level + `"}`
	case 4:
		mode := rapid.SampledFrom([]string{"READWRITE", "READWRITE", "READONLY", "IMPORT"}).Draw(rt, "mode")
		return "PUT /mode/" + subject, `{"mode":"` + mode + `"}`
	case 5:
		return "DELETE /config/" + subject, ""
	case 6:
		return "DELETE /mode/" + subject, ""
	}
	return "POST /subjects/" + subject + "/versions", text
}

// dump is everything that a registry shows.
func dump(s *server) string {
	var b strings.Builder
	for _, path := range []string{"/schemas?deleted=true", "/schemas", "/contexts", "/config", "/mode"} {
		fmt.Fprintln(&b, s.do("GET "+path, "").body)
	}
	for _, name := range []string{"a", "b", ":.x:a"} {
		fmt.Fprintln(&b, s.do("GET /config/"+name, "").body, s.do("GET /mode/"+name, "").body)
	}
	for id := 1; id < 7; id++ {
		fmt.Fprintln(&b, s.do(fmt.Sprintf("GET /schemas/ids/%d/versions?deleted=true", id), "").body)
	}
	return b.String()
}
