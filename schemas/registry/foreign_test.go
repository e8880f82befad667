package registry_test

import (
	"strings"
	"sync"
	"testing"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// handwritten puts "key = value" lines into a log; "null" is a tombstone.
func handwritten(t *testing.T, lines string) *logtest.Memory {
	t.Helper()
	log := logtest.NewMemory()
	for line := range strings.Lines(lines) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok {
			continue
		}
		rec := registry.Record{Key: []byte(key)}
		if value != "null" {
			rec.Value = []byte(value)
		}
		if _, err := log.Append(t.Context(), 0, []registry.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

const foreign = `
{"keytype":"NOOP","magic":0} = null
{"keytype":"CONFIG","subject":null,"magic":0} = {"compatibilityLevel":"NONE"}
{"keytype":"SCHEMA","subject":"s","version":2,"magic":1} = {"subject":"s","version":2,"id":5,"schema":"\"long\"","deleted":false}
{"keytype":"SCHEMA","subject":"s","version":1,"magic":1} = {"subject":"s","version":1,"id":4,"schema":"\"int\"","deleted":true}
{"keytype":"SCHEMA","subject":"gone","version":1,"magic":1} = {"subject":"gone","version":1,"id":9,"schema":"\"bytes\"","deleted":false}
{"keytype":"SCHEMA","subject":"gone","version":1,"magic":1} = null
{"keytype":"SCHEMA","subject":"d","version":1,"magic":1} = {"subject":"d","version":1,"id":5,"schema":"\"long\"","deleted":false}
{"keytype":"SCHEMA","subject":"d","version":2,"magic":1} = {"subject":"d","version":2,"id":4,"schema":"\"int\"","deleted":false}
{"keytype":"DELETE_SUBJECT","subject":"d","magic":0} = {"subject":"d","version":2}
{"keytype":"SCHEMA","subject":"d","version":3,"magic":1} = {"subject":"d","version":3,"id":4,"schema":"\"int\"","deleted":false}
{"keytype":"SCHEMA","subject":"e","version":1,"magic":1} = {"subject":"e","version":1,"id":4,"schema":"\"int\"","deleted":false}
{"keytype":"SCHEMA","subject":"e","version":2,"magic":1} = {"subject":"e","version":2,"id":5,"schema":"\"long\"","deleted":false}
{"keytype":"DELETE_SUBJECT","subject":"e","magic":0} = {"subject":"e","version":1}
{"keytype":"SCHEMA","subject":"c","version":1,"magic":1} = {"subject":"c","version":1,"id":4,"schema":"\"int\"","deleted":false}
{"keytype":"CLEAR_SUBJECT","subject":"c","magic":0} = {"subject":"c"}
{"keytype":"MODE","subject":"ro","magic":0} = {"subject":"ro","mode":"READONLY"}
{"keytype":"MODE","subject":"rw","magic":0} = {"subject":"rw","mode":"READONLY"}
{"keytype":"MODE","subject":"rw","magic":0} = null
{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0} = {"tenant":"default","context":".x"}
{"keytype":"HOROSCOPE","sign":"leo"} = {"luck":7}
not json = {}
{"keytype":"SCHEMA","subject":"bad","version":1,"magic":1} = {"subject":
{"keytype":"SCHEMA","subject":"new","version":1,"magic":1} = {"subject":"new","version":1,"id":12,"guid":"g-1","schemaType":"AVRO","schema":"{\"type\":\"record\",\"name\":\"N\",\"fields\":[]}","deleted":false,"ts":17,"metadata":{"tags":null},"ruleSet":null}
{"keytype":"SCHEMA","subject":"odd","version":1,"magic":1} = {"subject":"odd","version":1,"id":13,"schema":"{\"type\":\"record\",\"name\":\"a-b\",\"fields\":[]}","deleted":false}
{"keytype":"SCHEMA","subject":"worse","version":1,"magic":1} = {"subject":"worse","version":1,"id":14,"schema":"what is this","deleted":false}
{"magic":1,"keytype":"SCHEMA","version":1,"subject":"swapped"} = {"subject":"swapped","version":1,"id":15,"schema":"\"float\"","deleted":false}
{"keytype":"SCHEMA","subject":"loop","version":1,"magic":1} = {"subject":"loop","version":1,"id":16,"references":[{"name":"L","subject":"loop","version":1}],"schema":"\"L\"","deleted":false}
`

// TestForeignLog serves a topic that others wrote.
func TestForeignLog(t *testing.T) {
	var mu sync.Mutex
	var notices []string
	s := start(t, handwritten(t, foreign), registry.Options{Notice: func(text string) {
		mu.Lock()
		defer mu.Unlock()
		notices = append(notices, text)
	}})
	s.want("GET /config", "", 200, `{"compatibilityLevel":"NONE"}`)
	s.want("GET /subjects", "", 200, `["d","e","loop","new","odd","s","swapped","worse"]`)
	s.want("GET /subjects/s/versions?deleted=true", "", 200, `[1,2]`)
	s.want("GET /subjects/s/versions", "", 200, `[2]`)
	s.want("GET /subjects/d/versions", "", 200, `[3]`)
	s.want("GET /subjects/d/versions?deletedOnly=true", "", 200, `[1,2]`)
	s.want("GET /subjects/e/versions", "", 200, `[2]`)
	s.want("GET /schemas/ids/5/versions?deleted=true", "", 200, `[{"subject":"d","version":1},{"subject":"e","version":2},{"subject":"s","version":2}]`)
	s.fails("GET /schemas/ids/9", "", 40403, "")
	s.want("GET /mode/ro", "", 200, `{"mode":"READONLY"}`)
	s.fails("GET /mode/rw", "", 40409, "")
	s.want("GET /subjects/worse/versions/1/schema", "", 200, `what is this`)
	s.want("GET /schemas/ids/16", "", 200, "")
	s.fails("GET /schemas/ids/16?format=resolved", "", 42201, "")
	s.want("GET /subjects/new/versions/1", "", 200, `{"subject":"new","version":1,"id":12,"metadata":{"tags":null},"schema":"{\"type\":\"record\",\"name\":\"N\",\"fields\":[]}","guid":"g-1","ts":17}`)
	s.want("POST /subjects/x/versions", quoted(`"bytes"`), 200, `{"id":9}`)
	s.want("POST /subjects/x/versions", quoted(`"string"`), 200, `{"id":17}`)

	s.want("PUT /config", `{"compatibility":"BACKWARD"}`, 200, "")
	s.fails("POST /subjects/worse/versions", quoted(`"int"`), 409, "")
	s.fails("POST /subjects/loop/versions", quoted(`"int"`), 409, "")
	s.want("POST /subjects/odd/versions", quoted(record("b", "a:int=1")), 409, "")
	s.fails("POST /subjects/y/versions", quoted(`{"type":"record","name":"a-b","fields":[]}`), 42201, "")
	stats := s.reg.Stats()
	if stats.Unknown != 2 || stats.Broken != 2 || len(notices) != 2 {
		t.Errorf("%+v, notices %q", stats, notices)
	}
}

// TestUnknownMembersStay soft-deletes a version that carries members we do not know.
func TestUnknownMembersStay(t *testing.T) {
	s := start(t, handwritten(t, foreign), registry.Options{})
	s.want("DELETE /subjects/new/versions/1", "", 200, `1`)
	list := s.log.Records()
	want := `{"subject":"new","version":1,"id":12,"metadata":{"tags":null},"schema":"{\"type\":\"record\",\"name\":\"N\",\"fields\":[]}","deleted":true,"guid":"g-1","ts":17}`
	if got := string(list[len(list)-1].Value); got != want {
		t.Errorf("rewritten record:\n got %s\nwant %s", got, want)
	}
}

// TestOddKeys: a version that stands under other key bytes is not raised from the dead by compaction.
func TestOddKeys(t *testing.T) {
	s := start(t, handwritten(t, foreign), registry.Options{})
	s.want("DELETE /subjects/swapped/versions/1", "", 200, `1`)
	s.want("GET /subjects/swapped/versions?deleted=true", "", 200, `[1]`)
	s.want("DELETE /subjects/swapped/versions/1?permanent=true", "", 200, `1`)
	s.log.Compact()
	again := start(t, s.log, registry.Options{})
	again.fails("GET /subjects/swapped/versions?deleted=true", "", 40401, "")
}
