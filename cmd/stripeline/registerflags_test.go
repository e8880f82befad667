package main

import (
	"slices"
	"strings"
	"testing"

	"stripeline/schemas/client"
)

func TestReferencesAsTheyAreTyped(t *testing.T) {
	for text, want := range map[string]client.Reference{
		"com.acme.A=a-value:3":     {Name: "com.acme.A", Subject: "a-value", Version: 3},
		"a=b=c:1":                  {Name: "a", Subject: "b=c", Version: 1},
		"a=:.other:people-value:2": {Name: "a", Subject: ":.other:people-value", Version: 2},
		"a=b:-1":                   {Name: "a", Subject: "b", Version: -1},
	} {
		got, err := parseReferences("--reference", []string{text})
		if err != nil || !slices.Equal(got, []client.Reference{want}) {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "a", "a=b", "a=b:", "a=b:x", "a=b:0", "a=b:-2", "a=:1", "=b:1", "a=1"} {
		if got, err := parseReferences("--reference", []string{text}); err == nil || !strings.Contains(err.Error(), "NAME=SUBJECT:VERSION") {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
