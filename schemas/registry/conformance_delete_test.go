package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"stripeline/schemas/registry"
)

func TestDeleteSubject(t *testing.T) {
	f := conform(t)
	f.fails("DELETE /subjects/$S", "", 40401, "Subject '$S' not found.")
	f.v("$S", 1, "a:int")
	f.v("$S", 2, "a:int", "b:int=1")
	f.fails("DELETE /subjects/$S?permanent=true", "", 40405, "Subject '$S' was not deleted first before being permanently deleted")
	f.want("DELETE /subjects/$S", "", 200, `[1,2]`)
	f.fails("DELETE /subjects/$S", "", 40404, "Subject '$S' was soft deleted.Set permanent=true to delete permanently")
	f.want("GET /subjects?subjectPrefix=$S", "", 200, `[]`)
	f.want("GET /subjects?subjectPrefix=$S&deleted=true", "", 200, `["$S"]`)
	f.want("GET /subjects?subjectPrefix=$S&deletedOnly=true", "", 200, `["$S"]`)
	f.fails("GET /subjects/$S/versions", "", 40401, "Subject '$S' not found.")
	f.fails("GET /subjects/$S/versions/latest", "", 40401, "Subject '$S' not found.")
	f.want("GET /schemas/ids/$1", "", 200, "")
	f.want("POST /compatibility/subjects/$S/versions/latest", quoted(`"int"`), 200, `{"is_compatible":true}`)

	f.want("POST /subjects/$S/versions", quoted(record("$U", "a:int")), 200, `{"id":$1}`)
	f.want("GET /subjects/$S/versions", "", 200, `[3]`)
	f.want("DELETE /subjects/$S", "", 200, `[3]`)
	f.want("DELETE /subjects/$S?permanent=true", "", 200, `[1,2,3]`)
	f.fails("DELETE /subjects/$S?permanent=true", "", 40401, "Subject '$S' not found.")
	f.fails("GET /schemas/ids/$1", "", 40403, "Schema $1 not found")
	f.want("POST /subjects/$S/versions", quoted(record("$U", "a:int")), 200, `{"id":$1}`)
	f.want("GET /subjects/$S/versions", "", 200, `[1]`)
}

func TestDeleteVersion(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	f.v("$S", 2, "a:int", "b:int=1")
	f.fails("DELETE /subjects/$T/versions/1", "", 40401, "Subject '$T' not found.")
	f.fails("DELETE /subjects/$S/versions/7", "", 40402, "Version 7 not found.")
	f.fails("DELETE /subjects/$S/versions/x", "", 42202, "")
	f.fails("DELETE /subjects/$S/versions/2?permanent=true", "", 40407, "Subject '$S' Version 2 was not deleted first before being permanently deleted")
	f.want("DELETE /subjects/$S/versions/latest", "", 200, `2`)
	f.fails("DELETE /subjects/$S/versions/2", "", 40406, "Subject '$S' Version 2 was soft deleted.Set permanent=true to delete permanently")
	f.fails("GET /subjects/$S/versions/2", "", 40402, "Version 2 not found.")
	f.want("GET /subjects/$S/versions/latest", "", 200, fmt.Sprintf(`{"subject":"$S","version":1,"id":$1,"schema":%q}`, record("$U", "a:int")))
	f.want("DELETE /subjects/$S/versions/2?permanent=true", "", 200, `2`)
	f.fails("DELETE /subjects/$S/versions/2?permanent=true", "", 40402, "Version 2 not found.")
	f.want("GET /subjects/$S/versions?deleted=true", "", 200, `[1]`)
}

func TestPurgeTakesSettingsAlong(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	f.want("PUT /config/$S", `{"compatibility":"NONE"}`, 200, "")
	f.want("PUT /mode/$S", `{"mode":"READWRITE"}`, 200, "")
	f.want("DELETE /subjects/$S/versions/1", "", 200, `1`)
	f.want("GET /config/$S", "", 200, `{"compatibilityLevel":"NONE"}`)
	f.want("DELETE /subjects/$S/versions/1?permanent=true", "", 200, `1`)
	f.fails("GET /config/$S", "", 40408, "")
	f.fails("GET /mode/$S", "", 40409, "")
}

func TestReferences(t *testing.T) {
	f := conform(t)
	f.v("$S", 1, "a:int")
	user := `{"schema":"{\"type\":\"record\",\"name\":\"User$U\",\"fields\":[{\"name\":\"r\",\"type\":\"$U\"}]}","references":[{"name":"$U","subject":"$S","version":%s}]}`
	f.fails("POST /subjects/$T/versions", strings.ReplaceAll(fmt.Sprintf(user, "1"), `"references"`, `"none"`), 42201, "")
	id := f.registerBody("$T", fmt.Sprintf(user, "-1"))
	f.let("$2", fmt.Sprint(id))
	f.want("POST /subjects/$T/versions", fmt.Sprintf(user, "1"), 200, `{"id":$2}`)
	f.want("GET /subjects/$S/versions/1/referencedby", "", 200, `[$2]`)
	f.want("GET /subjects/$S/versions/latest/referencedby", "", 200, `[$2]`)
	f.want("GET /schemas/ids/$2", "", 200, fmt.Sprintf(user, "1"))
	f.want("GET /schemas/ids/$2/schema?format=resolved", "", 200,
		`{"type":"record","name":"User$U","fields":[{"name":"r","type":`+record("$U", "a:int")+`}]}`)
	f.fails("DELETE /subjects/$S", "", 42206, "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=$S,version=1}.")
	f.fails("DELETE /subjects/$S/versions/1", "", 42206, "")
	f.want("DELETE /subjects/$T", "", 200, `[1]`)
	f.want("DELETE /subjects/$S", "", 200, `[1]`)
	f.fails("DELETE /subjects/$S?permanent=true", "", 42206, "")
	f.want("GET /subjects/$T/versions/1?deleted=true", "", 200, "")
	f.want("DELETE /subjects/$T?permanent=true", "", 200, `[1]`)
	f.want("DELETE /subjects/$S?permanent=true", "", 200, `[1]`)
}

func TestReferencesInCompatibility(t *testing.T) {
	s := fresh(t)
	s.register("inner", record("n.I", "a:int"))
	outer := `{"schema":"{\"type\":\"record\",\"name\":\"n.O\",\"fields\":[{\"name\":\"i\",\"type\":\"I\"}]}","references":[{"name":"n.I","subject":"inner","version":%d}]}`
	s.registerBody("outer", fmt.Sprintf(outer, 1))
	s.want("PUT /config/inner", `{"compatibility":"NONE"}`, 200, "")
	s.register("inner", record("n.I", "a:string"))
	s.fails("POST /subjects/outer/versions", fmt.Sprintf(outer, 2), 409, "")
	s.want("POST /compatibility/subjects/outer/versions/latest", fmt.Sprintf(outer, 1), 200, `{"is_compatible":true}`)
}

// TestIDsSurvive registers, deletes for good, compacts and restarts: a schema gets its old id back, and a new one none that
// was ever given.
func TestIDsSurvive(t *testing.T) {
	s := fresh(t)
	for i := range 20 {
		s.register("s", fmt.Sprintf(`{"type":"enum","name":"E","symbols":[%q],"default":%q}`, fmt.Sprint("A", i), fmt.Sprint("A", i)))
	}
	s.register(":.ctx:s", `"bytes"`)
	s.register(":.ctx:s", `["bytes","int"]`)
	for _, name := range []string{"s", ":.ctx:s"} {
		s.want("DELETE /subjects/"+name, "", 200, "")
		s.want("DELETE /subjects/"+name+"?permanent=true", "", 200, "")
	}
	s.log.Compact()
	again := start(t, s.log, registry.Options{})
	again.want("GET /subjects?deleted=true", "", 200, `[]`)
	again.want("POST /subjects/t/versions", quoted(`{"type":"enum","name":"E","symbols":["A6"],"default":"A6"}`), 200, `{"id":7}`)
	again.want("POST /subjects/t2/versions", quoted(`"string"`), 200, `{"id":21}`)
	again.want("POST /subjects/:.ctx:x/versions", quoted(`["bytes","int"]`), 200, `{"id":2}`)
	again.want("POST /subjects/:.ctx:y/versions", quoted(`"string"`), 200, `{"id":3}`)
}
