package registry_test

import (
	"context"
	"testing"

	"github.com/riferrei/srclient"
	"github.com/twmb/franz-go/pkg/sr"
)

// TestFranzClient talks to the registry with pkg/sr.
func TestFranzClient(t *testing.T) {
	s := fresh(t)
	cl, err := sr.NewClient(sr.URLs(s.url))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	inner, err := cl.CreateSchema(ctx, "inner/a", sr.Schema{Schema: record("n.I", "a:int")})
	if err != nil || inner.ID != 1 || inner.Version != 1 {
		t.Fatalf("create: %+v %v", inner, err)
	}
	outer, err := cl.CreateSchema(ctx, "outer", sr.Schema{
		Schema:     `{"type":"array","items":"n.I"}`,
		References: []sr.SchemaReference{{Name: "n.I", Subject: "inner/a", Version: 1}},
	})
	if err != nil || outer.ID != 2 {
		t.Fatalf("create with reference: %+v %v", outer, err)
	}
	if by, err := cl.SchemaReferences(ctx, "inner/a", 1); err != nil || len(by) != 1 || by[0].Subject != "outer" {
		t.Errorf("references: %+v %v", by, err)
	}
	if types, err := cl.SupportedTypes(ctx); err != nil || len(types) != 3 {
		t.Errorf("types: %v %v", types, err)
	}
	for _, res := range cl.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, "outer") {
		if res.Err != nil || res.Level != sr.CompatFull {
			t.Errorf("set compatibility: %+v", res)
		}
	}
	if got, err := cl.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), "inner/a", -1, sr.Schema{Schema: record("n.I", "a:string")}); err != nil || got.Is || len(got.Messages) == 0 {
		t.Errorf("check: %+v %v", got, err)
	}
	if all, err := cl.AllSchemas(ctx); err != nil || len(all) != 2 {
		t.Errorf("all: %v %v", all, err)
	}
	if _, err := cl.DeleteSubject(ctx, "inner/a", sr.SoftDelete); err == nil {
		t.Error("deleted what is referenced")
	}
	if got, err := cl.DeleteSubject(ctx, "outer", sr.SoftDelete); err != nil || len(got) != 1 {
		t.Errorf("delete: %v %v", got, err)
	}
	if err := cl.DeleteSchema(ctx, "outer", 1, sr.HardDelete); err != nil {
		t.Errorf("permanent delete: %v", err)
	}
	if _, err := cl.CreateSchema(sr.InContext(ctx, ".x"), "s", sr.Schema{Schema: `"int"`}); err != nil {
		t.Errorf("create in a context: %v", err)
	}
	for _, res := range cl.SetMode(ctx, sr.ModeReadOnly) {
		if res.Err != nil {
			t.Errorf("set mode: %+v", res)
		}
	}
}

// TestSrclient talks to the registry with srclient.
func TestSrclient(t *testing.T) {
	s := fresh(t)
	cl := srclient.NewSchemaRegistryClient(s.url)
	made, err := cl.CreateSchema("s", record("R", "a:int"), srclient.Avro)
	if err != nil || made.ID() != 1 {
		t.Fatalf("create: %+v %v", made, err)
	}
	if got, err := cl.GetLatestSchema("s"); err != nil || got.Schema() != record("R", "a:int") {
		t.Errorf("latest: %+v %v", got, err)
	}
	if got, err := cl.GetSchema(1); err != nil || got.Schema() != record("R", "a:int") {
		t.Errorf("by id: %+v %v", got, err)
	}
	if ok, err := cl.IsSchemaCompatible("s", record("R", "a:string"), "latest", srclient.Avro); err != nil || ok {
		t.Errorf("compatible: %v %v", ok, err)
	}
	if level, err := cl.ChangeSubjectCompatibilityLevel("s", srclient.Full); err != nil || *level != srclient.Full {
		t.Errorf("level: %v %v", level, err)
	}
	if level, err := cl.GetCompatibilityLevel("t", true); err != nil || *level != srclient.Backward {
		t.Errorf("default level: %v %v", level, err)
	}
	if got, err := cl.LookupSchema("s", record("R", "a:int"), srclient.Avro); err != nil || got.ID() != 1 {
		t.Errorf("lookup: %+v %v", got, err)
	}
	if got, err := cl.GetSubjects(); err != nil || len(got) != 1 {
		t.Errorf("subjects: %v %v", got, err)
	}
	if err := cl.DeleteSubject("s", false); err != nil {
		t.Errorf("delete: %v", err)
	}
}
