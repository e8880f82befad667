package registry_test

import (
	"strings"
	"testing"

	"stripeline/schemas/registry"
)

// TestDialogue is what a newcomer types.
func TestDialogue(t *testing.T) {
	s := fresh(t)
	names := []string{"date", "time", "name", "address", "country", "info_6", "info_7", "info_8", "info_9", "info_0"}
	var plain, prefixed []string
	for _, n := range names {
		plain = append(plain, n+":string")
		prefixed = append(prefixed, "testout_"+n+":string")
	}
	s.want("PUT /config", `{"compatibility":"NONE"}`, 200, `{"compatibility":"NONE"}`)
	s.want("POST /subjects/schemaTest/versions", quoted(record("test", plain...)), 200, `{"id":1}`)
	s.want("POST /subjects/schemaTestOut/versions", quoted(record("testout", prefixed...)), 200, `{"id":2}`)
	got := s.do("GET /subjects/schemaTest/versions/latest", "")
	if got.status != 200 || got.header.Get("Content-Type") != v1json {
		t.Errorf("latest: %d %v", got.status, got.header)
	}
	want := `{"subject":"schemaTest","version":1,"id":1,"schema":` + strings.TrimSuffix(strings.TrimPrefix(quoted(record("test", plain...)), `{"schema":`), "}") + `}`
	if got.body != want {
		t.Errorf("latest:\n got %s\nwant %s", got.body, want)
	}
	s.want("GET /schemas/ids/2", "", 200, quoted(record("testout", prefixed...)))

	again := start(t, s.log, registry.Options{})
	again.want("GET /subjects", "", 200, `["schemaTest","schemaTestOut"]`)
	again.want("POST /subjects/other/versions", quoted(record("test", plain...)), 200, `{"id":1}`)
	again.want("POST /subjects/other/versions", quoted(`"string"`), 200, `{"id":3}`)
	again.want("GET /config", "", 200, `{"compatibilityLevel":"NONE"}`)
}

func TestIncompatibleIsRefused(t *testing.T) {
	s := fresh(t)
	s.register("s", record("R", "a:int"))
	s.want("POST /compatibility/subjects/s/versions/latest", quoted(record("R", "a:int", "b:int")), 200, `{"is_compatible":false}`)
	s.want("POST /compatibility/subjects/s/versions/latest", quoted(record("R", "a:int", "b:int=1")), 200, `{"is_compatible":true}`)
	s.fails("POST /subjects/s/versions", quoted(record("R", "a:int", "b:int")), 409,
		`Schema being registered is incompatible with an earlier schema for subject "s", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'at b the new schema reads int and the old schema writes nothing: reader field has no default and is missing from writer'}, {oldSchemaVersion: 1}, {oldSchema: '`+record("R", "a:int")+`'}, {validateFields: 'false', compatibility: 'BACKWARD'}]`)
	s.want("GET /subjects/s/versions", "", 200, `[1]`)
}

// TestRecordBytes fixes what stands in the log.
func TestRecordBytes(t *testing.T) {
	s := fresh(t)
	s.want("PUT /config", `{"compatibility":"full"}`, 200, `{"compatibility":"FULL"}`)
	s.want("PUT /config/a<b>", `{"compatibility":"NONE"}`, 200, "")
	s.register("a<b>", `{"type":"string"}`)
	s.want("PUT /mode/a<b>", `{"mode":"READWRITE"}`, 200, "")
	s.want("DELETE /subjects/a<b>", "", 200, `[1]`)
	s.want("DELETE /subjects/a<b>?permanent=true", "", 200, `[1]`)
	want := [][2]string{
		{`{"keytype":"NOOP","magic":0}`, ""},
		{`{"keytype":"CONFIG","subject":null,"magic":0}`, `{"subject":null,"compatibilityLevel":"FULL"}`},
		{`{"keytype":"CONFIG","subject":"a<b>","magic":0}`, `{"subject":"a<b>","compatibilityLevel":"NONE"}`},
		{`{"keytype":"SCHEMA","subject":"a<b>","version":1,"magic":1}`, `{"subject":"a<b>","version":1,"id":1,"schema":"\"string\"","deleted":false}`},
		{`{"keytype":"MODE","subject":"a<b>","magic":0}`, `{"subject":"a<b>","mode":"READWRITE"}`},
		{`{"keytype":"DELETE_SUBJECT","subject":"a<b>","magic":0}`, `{"subject":"a<b>","version":1}`},
		{`{"keytype":"STRIPELINE_IDS","context":".","magic":0}`, ""},
		{`{"keytype":"SCHEMA","subject":"a<b>","version":1,"magic":1}`, ""},
		{`{"keytype":"CONFIG","subject":"a<b>","magic":0}`, ""},
		{`{"keytype":"MODE","subject":"a<b>","magic":0}`, ""},
	}
	got := s.log.Records()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, rec := range got {
		if string(rec.Key) != want[i][0] || (string(rec.Value) != want[i][1] && !strings.Contains(want[i][0], "STRIPELINE")) {
			t.Errorf("record %d: %s = %s, want %s = %s", i, rec.Key, rec.Value, want[i][0], want[i][1])
		}
	}
}
