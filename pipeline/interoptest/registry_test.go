package interoptest

import (
	"bufio"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riferrei/srclient"
	"github.com/twmb/franz-go/pkg/sr"

	"stripeline/pipeline/brokertest"
	"stripeline/schemas/client"
)

// Three versions of a schema: wider can read first's records, broken cannot.
const (
	first  = `{"type":"record","name":"Row","fields":[{"name":"a","type":"int"}]}`
	wider  = `{"type":"record","name":"Row","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}`
	broken = `{"type":"record","name":"Row","fields":[{"name":"a","type":"int"},{"name":"c","type":"string"}]}`
)

// findings are what a scripted registry client learned about a subject: ids of both versions, by every way to ask, and whether broken was refused.
type findings struct {
	First, Wider, Latest, ByVersion, Lookup int
	Refused                                 bool
}

func TestScriptedRegistryClients(t *testing.T) {
	s := anyStack(t)
	for _, c := range avroClients {
		t.Run(c.tool, func(t *testing.T) {
			program, subject := need(t, c.tool), brokertest.Name(t)
			out := run(t, "", program, filepath.Join("testdata", c.script), "registry", s.RegistryURL(), subject, first, wider, broken)
			var got findings
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			want := findings{First: s.lookup(t, subject, first), Wider: s.lookup(t, subject, wider), Refused: true}
			want.Latest, want.ByVersion, want.Lookup = want.Wider, want.First, want.First
			if got != want || want.First == want.Wider {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// lookup gives the id that our own client finds.
func (s stack) lookup(t *testing.T, subject, schema string) int {
	t.Helper()
	v, err := s.registry(t).Lookup(t.Context(), subject, client.Schema{Text: schema})
	if err != nil {
		t.Fatal(err)
	}
	return v.ID
}

func TestGoRegistryClients(t *testing.T) {
	s, subject := anyStack(t), brokertest.Name(t)
	theirs, err := srclient.NewSchemaRegistryClient(s.RegistryURL()).CreateSchema(subject, first, srclient.Avro)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.registry(t).Register(t.Context(), subject, client.Schema{Text: wider})
	if err != nil {
		t.Fatal(err)
	}
	latest, err := srclient.NewSchemaRegistryClient(s.RegistryURL()).GetLatestSchema(subject)
	if err != nil || latest.ID() != id || latest.Version() != 2 {
		t.Errorf("srclient: latest is %+v, %v; want id %d, version 2", latest, err, id)
	}
	direct, err := sr.NewClient(sr.URLs(s.RegistryURL()))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[int]int{1: theirs.ID(), 2: id, -1: id} {
		if got, err := direct.SchemaByVersion(t.Context(), subject, version); err != nil || got.ID != want {
			t.Errorf("sr: version %d is %+v, %v; want id %d", version, got, err, want)
		}
	}
	if got, err := direct.CheckCompatibility(t.Context(), subject, -1, sr.Schema{Schema: broken}); err != nil || got.Is {
		t.Errorf("sr: broken is compatible: %+v, %v", got, err)
	}
}

// TestTheDialogueWorksAsTyped runs scripts/register-schemas, which is four calls of curl, against a registry that knows no rows yet.
func TestTheDialogueWorksAsTyped(t *testing.T) {
	need(t, "curl")
	s := embeddedStack(t)
	out := run(t, "", "bash", filepath.Join(root(t), "scripts/register-schemas"), s.RegistryURL())
	lines := strings.SplitN(out, "\n", 4)
	var test, testout struct{ ID int }
	if lines[0] != `{"compatibility":"NONE"}` || json.Unmarshal([]byte(lines[1]), &test) != nil || json.Unmarshal([]byte(lines[2]), &testout) != nil ||
		test.ID == 0 || testout.ID == 0 || test.ID == testout.ID {
		t.Fatalf("configuration and two ids, not\n%s", out)
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(lines[3])), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, lines[3])
	}
	defer answer.Body.Close()
	var latest struct {
		Subject, Schema string
		ID, Version     int
	}
	if err := json.NewDecoder(answer.Body).Decode(&latest); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/vnd.schemaregistry.v1+json" ||
		latest.Subject != "schemaTest" || latest.ID != test.ID || latest.Version != 1 {
		t.Errorf("%s %s: %+v", answer.Status, answer.Header.Get("Content-Type"), latest)
	}
	if names := fieldNames(t, latest.Schema); names != "date time name address country info_6 info_7 info_8 info_9 info_0" {
		t.Errorf("fields %s", names)
	}
}

func fieldNames(t *testing.T, schema string) string {
	t.Helper()
	var record struct{ Fields []struct{ Name, Type string } }
	if err := json.Unmarshal([]byte(schema), &record); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range record.Fields {
		names = append(names, f.Name)
		if f.Type != "string" {
			t.Errorf("field %s is %s", f.Name, f.Type)
		}
	}
	return strings.Join(names, " ")
}
