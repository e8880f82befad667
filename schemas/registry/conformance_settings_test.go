package registry_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	f := conform(t)
	f.fails("GET /config/$S", "", 40408, "Subject '$S' does not have subject-level compatibility configured")
	f.want("PUT /config/$S", `{"compatibility":"forward_transitive"}`, 200, `{"compatibility":"FORWARD_TRANSITIVE"}`)
	f.want("GET /config/$S", "", 200, `{"compatibilityLevel":"FORWARD_TRANSITIVE"}`)
	f.fails("PUT /config/$S", `{"compatibility":"sideways"}`, 42203, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive")
	f.want("DELETE /config/$S", "", 200, `{"compatibilityLevel":"FORWARD_TRANSITIVE"}`)
	f.fails("DELETE /config/$S", "", 40401, "Subject '$S' not found.")
	s := fresh(t)
	s.want("GET /config", "", 200, `{"compatibilityLevel":"BACKWARD"}`)
	s.want("PUT /config", `{"compatibility":"FULL"}`, 200, `{"compatibility":"FULL"}`)
	s.want("GET /config/s?defaultToGlobal=true", "", 200, `{"compatibilityLevel":"FULL"}`)
	s.want("DELETE /config", "", 200, `{"compatibilityLevel":"FULL"}`)
	s.want("GET /config", "", 200, `{"compatibilityLevel":"BACKWARD"}`)
	s.want("DELETE /config", "", 200, `{"compatibilityLevel":"BACKWARD"}`)
	s.want("PUT /config/s", `{"compatibility":"NONE","normalize":true,"compatibilityGroup":"g"}`, 200, "")
	s.want("PUT /config/s", `{"alias":"x"}`, 200, `{"alias":"x"}`)
	s.want("GET /config/s", "", 200, `{"compatibilityLevel":"NONE","normalize":true,"compatibilityGroup":"g","alias":"x"}`)
}

func TestMode(t *testing.T) {
	f := conform(t)
	f.fails("GET /mode/$S", "", 40409, "Subject '$S' does not have subject-level mode configured")
	f.want("PUT /mode/$S", `{"mode":"READONLY"}`, 200, `{"mode":"READONLY"}`)
	f.want("GET /mode/$S", "", 200, `{"mode":"READONLY"}`)
	f.fails("POST /subjects/$S/versions", quoted(`"int"`), 42205, "Subject $S in context . is in read-only mode")
	f.fails("PUT /config/$S", `{"compatibility":"NONE"}`, 42205, "Subject $S in context . is in read-only mode")
	f.fails("DELETE /subjects/$S", "", 42205, "")
	f.want("DELETE /mode/$S", "", 200, `{"mode":"READONLY"}`)
	f.fails("DELETE /mode/$S", "", 40401, "Subject '$S' not found.")
	f.fails("PUT /mode/$S", `{"mode":"ASLEEP"}`, 42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")
	s := fresh(t)
	s.want("GET /mode", "", 200, `{"mode":"READWRITE"}`)
	s.want("PUT /mode", `{"mode":"READONLY"}`, 200, `{"mode":"READONLY"}`)
	s.want("GET /mode/s?defaultToGlobal=true", "", 200, `{"mode":"READONLY"}`)
	s.fails("POST /subjects/s/versions", quoted(`"int"`), 42205, "Subject s in context . is in read-only mode")
	s.want("PUT /mode/s", `{"mode":"READWRITE"}`, 200, "")
	s.register("s", `"int"`)
	s.fails("DELETE /mode", "", 404, "HTTP 404 Not Found")
}

func TestImport(t *testing.T) {
	s := fresh(t)
	give := func(text string, id, version int) string {
		return strings.TrimSuffix(quoted(text), "}") + fmt.Sprintf(`,"id":%d,"version":%d}`, id, version)
	}
	s.fails("POST /subjects/s/versions", give(`"int"`, 9, 1), 42205, "Subject s in context . is not in import mode")
	s.register("old", `"int"`)
	s.fails("PUT /mode", `{"mode":"IMPORT"}`, 42205, "Cannot import since found existing subjects")
	s.want("DELETE /subjects/old", "", 200, `[1]`)
	s.want("PUT /mode", `{"mode":"IMPORT"}`, 200, `{"mode":"IMPORT"}`)
	s.want("GET /subjects?deleted=true", "", 200, `[]`)
	s.fails("POST /subjects/s/versions", quoted(`"int"`), 42205, "Subject s in context . is not in read-write mode")
	s.want("POST /subjects/s/versions", give(`"string"`, 40, 7), 200, `{"id":40}`)
	s.want("POST /subjects/s/versions", give(`"bytes"`, 30, 3), 200, `{"id":30}`)
	s.want("POST /subjects/s/versions", give(`"string"`, 40, 7), 200, `{"id":40}`)
	s.want("POST /subjects/t/versions", give(`"string"`, 40, 1), 200, `{"id":40}`)
	s.fails("POST /subjects/t/versions", give(`"long"`, 40, 2), 42205, "Overwrite new schema with id 40 in context . is not permitted.")
	s.fails("POST /subjects/t/versions", give(`"long"`, 1, 2), 42205, "Overwrite new schema with id 1 in context . is not permitted.")
	s.fails("POST /subjects/t/versions", give(`"string"`, 41, 2), 42207, "")
	s.want("GET /subjects/s/versions", "", 200, `[3,7]`)
	s.want("PUT /mode", `{"mode":"READWRITE"}`, 200, "")
	s.want("POST /subjects/u/versions", quoted(`"long"`), 200, `{"id":41}`)
	s.want("PUT /config/s", `{"compatibility":"NONE"}`, 200, "")
	s.want("POST /subjects/s/versions", quoted(`"long"`), 200, `{"id":41}`)
	s.want("GET /subjects/s/versions", "", 200, `[3,7,8]`)
	s.want("PUT /mode/s?force=true", `{"mode":"IMPORT"}`, 200, "")
}

func TestContexts(t *testing.T) {
	s := fresh(t)
	s.want("GET /contexts", "", 200, `["."]`)
	s.want("POST /subjects/:.one:s/versions", quoted(`"int"`), 200, `{"id":1}`)
	s.want("POST /contexts/.two/subjects/s/versions", quoted(`"string"`), 200, `{"id":1}`)
	s.want("POST /subjects/:.:s/versions", quoted(`"bytes"`), 200, `{"id":1}`)
	s.want("GET /contexts", "", 200, `[".",".one",".two"]`)
	s.want("GET /contexts?contextPrefix=.t", "", 200, `[".two"]`)
	s.want("GET /subjects", "", 200, `[":.one:s",":.two:s","s"]`)
	s.want("GET /subjects?subjectPrefix=:.one:", "", 200, `[":.one:s"]`)
	s.want("GET /subjects?subjectPrefix=", "", 200, `["s"]`)
	s.want("GET /contexts/.one/subjects", "", 200, `[":.one:s"]`)
	s.want("GET /contexts/:.one:/subjects/s/versions", "", 200, `[1]`)
	s.want("GET /schemas/ids/1", "", 200, `{"schema":"\"bytes\""}`)
	s.want("GET /contexts/.two/schemas/ids/1", "", 200, `{"schema":"\"string\""}`)
	s.want("GET /schemas/ids/1?subject=:.one:s", "", 200, `{"schema":"\"int\""}`)
	s.want("PUT /contexts/.one/config", `{"compatibility":"NONE"}`, 200, "")
	s.want("GET /config/:.one:s?defaultToGlobal=true", "", 200, `{"compatibilityLevel":"NONE"}`)
	s.want("GET /config/s?defaultToGlobal=true", "", 200, `{"compatibilityLevel":"BACKWARD"}`)
	s.want("POST /subjects/:.one:s/versions", quoted(`"string"`), 200, `{"id":2}`)
	s.want("PUT /mode/:.two:", `{"mode":"READONLY"}`, 200, "")
	s.fails("POST /subjects/:.two:s/versions", quoted(`"string"`), 42205, "Subject s in context .two is in read-only mode")
	s.want("GET /schemas/ids/2?subject=s", "", 200, `{"schema":"\"string\""}`)
}

func TestCompatibilityEndpoint(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	f.v("$S", 2, "a:int", "b:int=1")
	f.fails("POST /compatibility/subjects/$S/versions/9", quoted(`"int"`), 40402, "Version 9 not found.")
	f.fails("POST /compatibility/subjects/$T/versions/9", quoted(`"int"`), 40402, "Version 9 not found.")
	f.fails("POST /compatibility/subjects/$S/versions/x", quoted(`"int"`), 42202, "")
	f.fails("POST /compatibility/subjects/$S/versions/latest", quoted(`nonsense`), 42201, "")
	f.want("POST /compatibility/subjects/$T/versions/latest", quoted(`"int"`), 200, `{"is_compatible":true}`)
	f.want("POST /compatibility/subjects/$T/versions", quoted(`"int"`), 200, `{"is_compatible":true}`)
	f.want("POST /compatibility/subjects/$S/versions/latest?verbose=true", quoted(record("$U", "a:int")), 200, `{"is_compatible":true,"messages":[]}`)
	f.want("POST /compatibility/subjects/$S/versions/1", quoted(record("$U", "b:int")), 200, `{"is_compatible":false}`)
	f.want("POST /compatibility/subjects/$S/versions/2", quoted(record("$U", "b:int")), 200, `{"is_compatible":true}`)
	f.want("POST /compatibility/subjects/$S/versions", quoted(record("$U", "b:int")), 200, `{"is_compatible":true}`)
	f.want("PUT /config/$S", `{"compatibility":"BACKWARD_TRANSITIVE"}`, 200, "")
	f.want("POST /compatibility/subjects/$S/versions", quoted(record("$U", "b:int")), 200, `{"is_compatible":false}`)
	f.want("POST /compatibility/subjects/$S/versions/2", quoted(record("$U", "b:int")), 200, `{"is_compatible":true}`)
	f.want("PUT /config/$S", `{"compatibility":"NONE"}`, 200, "")
	f.want("POST /compatibility/subjects/$S/versions/1", quoted(`"int"`), 200, `{"is_compatible":true}`)
}

func TestVerboseMessages(t *testing.T) {
	s := fresh(t)
	s.register("s", `{"type":"record","name":"R","fields":[{"name":"in","type":{"type":"record","name":"I","fields":[{"name":"x","type":"int"}]}}]}`)
	changed := `{"type":"record","name":"R","fields":[{"name":"in","type":{"type":"record","name":"I","fields":[{"name":"x","type":"string"}]}}]}`
	got := s.do("POST /compatibility/subjects/s/versions/latest?verbose=true", quoted(changed)).body
	for _, part := range []string{"in.x", "string", "int", "TYPE_MISMATCH", "{oldSchemaVersion: 1}", "compatibility: 'BACKWARD'"} {
		if !strings.Contains(got, part) {
			t.Errorf("messages lack %q: %s", part, got)
		}
	}
	got = s.do("POST /compatibility/subjects/s/versions/latest?verbose=true", quoted("{")).body
	if !strings.Contains(got, `"is_compatible":false,"messages":["Invalid schema`) {
		t.Errorf("verbose check of rubbish: %s", got)
	}
}

// TestLevels registers a second version under each level: only what the level allows passes.
func TestLevels(t *testing.T) {
	old, wider, narrower, both := record("R", "a:int", "b:int=1"), record("R", "a:int", "b:int=1", "c:int"), record("R", "a:int"), record("R", "a:int", "b:int=1", "c:int=2")
	for _, c := range []struct {
		level string
		pass  [3]bool // wider, narrower, both
	}{
		{"NONE", [3]bool{true, true, true}},
		{"BACKWARD", [3]bool{false, true, true}},
		{"FORWARD", [3]bool{true, true, true}},
		{"FULL", [3]bool{false, true, true}},
		{"BACKWARD_TRANSITIVE", [3]bool{false, true, true}},
		{"FORWARD_TRANSITIVE", [3]bool{true, true, true}},
		{"FULL_TRANSITIVE", [3]bool{false, true, true}},
	} {
		for i, text := range []string{wider, narrower, both} {
			s := fresh(t)
			s.want("PUT /config/s", `{"compatibility":"`+c.level+`"}`, 200, "")
			s.register("s", old)
			if got := s.do("POST /subjects/s/versions", quoted(text)); (got.status == 200) != c.pass[i] {
				t.Errorf("%s, schema %d: %d %s", c.level, i, got.status, got.body)
			}
		}
	}
	s := fresh(t)
	s.want("PUT /config/s", `{"compatibility":"FORWARD"}`, 200, "")
	s.register("s", record("R", "a:int"))
	s.fails("POST /subjects/s/versions", quoted(record("R", "b:int")), 409, "")
}

// TestTransitive looks at all versions: a field dropped, then back with another type.
func TestTransitive(t *testing.T) {
	for level, status := range map[string]int{"BACKWARD": 200, "BACKWARD_TRANSITIVE": 409} {
		s := fresh(t)
		s.want("PUT /config/s", `{"compatibility":"`+level+`"}`, 200, "")
		s.register("s", record("R", "a:int", "b:int"))
		s.register("s", record("R", "a:int"))
		s.want("POST /subjects/s/versions", quoted(record("R", "a:int", `b:string="x"`)), status, "")
	}
}

func TestNormalize(t *testing.T) {
	s := fresh(t)
	raw := `{"type":"record","name":"n.R","aliases":["z","b.A"],"p":{"y":1,"x":2},"doc":"d","fields":[{"name":"i","type":{"type":"fixed","name":"F","size":2}},{"name":"j","type":"F","q":1,"order":"ignore","aliases":["k","c"]}]}`
	want := `{"name":"n.R","type":"record","fields":[{"name":"i","type":{"name":"n.F","type":"fixed","size":2}},{"name":"j","type":"n.F","order":"ignore","aliases":["c","k"],"q":1}],"doc":"d","aliases":["b.A","n.z"],"p":{"x":2,"y":1}}`
	s.want("POST /subjects/s/versions?normalize=true", quoted(raw), 200, `{"id":1}`)
	if got := s.do("GET /subjects/s/versions/1/schema", "").body; got != want {
		t.Errorf("normalized:\n got %s\nwant %s", got, want)
	}
	s.want("POST /subjects/s/versions?normalize=true", quoted(want), 200, `{"id":1}`)
	s.want("POST /subjects/s?normalize=true", quoted(raw), 200, "")
	s.fails("POST /subjects/s", quoted(raw), 40403, "")
	s.want("PUT /config/s", `{"normalize":true}`, 200, "")
	s.want("POST /subjects/s/versions", quoted(raw), 200, `{"id":1}`)
}

func TestIdentity(t *testing.T) {
	s := fresh(t)
	s.want("PUT /config", `{"compatibility":"NONE"}`, 200, "")
	first := s.register("s", `{"type":"record","name":"R","fields":[]}`)
	if id := s.register("t", `{"fields":[], "name":"R", "type":"record"}`); id != first {
		t.Errorf("the same schema in another subject has id %d, want %d", id, first)
	}
	if id := s.register("s", `{"type":"record","name":"R","doc":"new","fields":[]}`); id == first {
		t.Error("a changed doc is the same schema")
	}
	with := func(member string) string { return `{"schema":"\"int\"",` + member + `}` }
	ids := map[int]bool{s.register("s", `"int"`): true}
	for _, member := range []string{`"metadata":{"properties":{"a":"1"}}`, `"metadata":{"properties":{"a":"2"}}`, `"ruleSet":{"domainRules":[]}`, `"schemaType":"PROTOBUF"`} {
		id := s.registerBody("s", with(member))
		if ids[id] {
			t.Errorf("%s: id %d again", member, id)
		}
		ids[id] = true
		if again := s.registerBody("s", with(member)); again != id {
			t.Errorf("%s: id %d, then %d", member, id, again)
		}
	}
	s.want("GET /subjects/s/metadata?key=a&value=2", "", 200, `{"subject":"s","version":5,"id":5,"metadata":{"properties":{"a":"2"}},"schema":"\"int\""}`)
	s.fails("GET /subjects/s/metadata?key=a&value=3", "", 40403, "Schema not found")
}

// TestGroups: versions of another compatibility group do not count.
func TestGroups(t *testing.T) {
	s := fresh(t)
	in := func(major, text string) string {
		return strings.TrimSuffix(quoted(text), "}") + `,"metadata":{"properties":{"major":"` + major + `"}}}`
	}
	s.want("PUT /config/s", `{"compatibility":"BACKWARD","compatibilityGroup":"major"}`, 200, "")
	s.registerBody("s", in("1", `"int"`))
	s.fails("POST /subjects/s/versions", in("1", `"string"`), 409, "")
	s.registerBody("s", in("2", `"string"`))
	s.registerBody("s", in("1", `"long"`))
	s.fails("POST /subjects/s/versions", in("2", `"long"`), 409, "")
}

// TestLogicalTypes: they do not count for compatibility, and one that does not fit its type is left alone.
func TestLogicalTypes(t *testing.T) {
	s := fresh(t)
	s.register("s", `{"type":"bytes","logicalType":"decimal","precision":8,"scale":2}`)
	s.register("s", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}`)
	s.register("s", `{"type":"bytes","logicalType":"decimal"}`)
	s.register("t", `{"type":"string","logicalType":"decimal","precision":-1}`)
	s.want("GET /subjects/t/versions/1/schema", "", 200, `{"type":"string","logicalType":"decimal","precision":-1}`)
}

func TestOtherTypes(t *testing.T) {
	s := fresh(t)
	jsonSchema := `{"schema":"{\"type\": \"object\"}","schemaType":"JSON"}`
	s.want("POST /subjects/j/versions", jsonSchema, 200, `{"id":1}`)
	s.want("GET /subjects/j/versions/1", "", 200, `{"subject":"j","version":1,"id":1,"schemaType":"JSON","schema":"{\"type\":\"object\"}"}`)
	s.want("POST /subjects/j", jsonSchema, 200, "")
	s.want("POST /subjects/j/versions", jsonSchema, 200, `{"id":1}`)
	s.fails("POST /subjects/j/versions", `{"schema":"{\"type\":\"string\"}","schemaType":"JSON"}`, 409, "")
	s.fails("POST /subjects/j/versions", quoted(`"int"`), 409, "")
	s.fails("POST /subjects/j/versions", `{"schema":"{","schemaType":"JSON"}`, 42201, "")
	s.want("PUT /config/j", `{"compatibility":"NONE"}`, 200, "")
	s.want("POST /subjects/j/versions", `{"schema":"{\"type\":\"string\"}","schemaType":"JSON"}`, 200, `{"id":2}`)
	s.want("POST /subjects/p/versions", `{"schema":"message A {}","schemaType":"PROTOBUF","references":[{"name":"j","subject":"j","version":2}]}`, 200, `{"id":3}`)
	s.want("GET /schemas/ids/3", "", 200, `{"schemaType":"PROTOBUF","schema":"message A {}","references":[{"name":"j","subject":"j","version":2}]}`)
	s.fails("POST /subjects/p2/versions", `{"schema":"message A {}","schemaType":"PROTOBUF","references":[{"name":"j","subject":"j","version":9}]}`, 42201, "")
}
