package pipeline

import (
	"strings"
	"testing"
)

const rowCases = `
cases:
- name: maps
  in: {id: 5, name: ann, amount: 1.5, note: null}
  out: {out_id: 5, twice: 3.0, source: test}
  out_key: ann
- name: left out
  in: {id: 4, name: bob, amount: 1}
  left_out: true
- name: rejected
  in: {id: 3, name: bob, amount: 1}
  reject: division by zero
- name: wrong
  in: {id: 5, name: ann, amount: 1.5}
  out: {out_name: bob}
- name: wrong too
  in: {id: 3, name: ann, amount: 1.5}
- in: {id: x, name: ann, amount: 1.5}
`

func TestCasesBesideAMappingSayWhatIsWrong(t *testing.T) {
	plan, err := CheckMapping("map.yaml", []byte(rowMap), RowSchema{Subject: "in", ID: 1, Text: rowSchema}, RowSchema{Subject: "out", ID: 2, Text: outRowSchema})
	if err != nil {
		t.Fatal(err)
	}
	cases, err := ParseCases("map.test.yaml", []byte(rowCases))
	if err != nil {
		t.Fatal(err)
	}
	results, err := plan.Try(cases)
	if err != nil || len(results) != 6 {
		t.Fatalf("%+v %v", results, err)
	}
	for i, want := range []string{"", "", "", `field out_name is "ann", want "bob"`, "rejected (mapping)", `in: `} {
		if got := results[i].Wrong; (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", results[i].Name, got, want)
		}
	}
	if results[5].Name != "case 6" {
		t.Errorf("%+v", results[5])
	}
	if _, err := ParseCases("map.test.yaml", []byte("cases:\n- inn: {}\n")); err == nil {
		t.Error("an unknown word was taken")
	}
}
