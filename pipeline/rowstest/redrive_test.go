package rowstest

import (
	"fmt"
	"strings"
	"testing"

	"stripeline/pipeline"
)

// TestRejectsNameTheirSchemaAndAreRedrivenUnderTheLatest: a new version of the subject mends one of two.
func TestRejectsNameTheirSchemaAndAreRedrivenUnderTheLatest(t *testing.T) {
	d := newDesk(t)
	subject := pipeline.ValueSubject(d.topic)
	p := d.csv("id,name,fare\n1,ann,2.5\n2,bob,later\nthree,carl,1\n")
	p.Register, p.Key = schemaFile(seatSchema("")), []string{"name"}
	p.AvroKey = &pipeline.AvroKey{Pin: pipeline.Pin{Subject: pipeline.KeySubject(d.topic)}, Register: schemaFile(`"string"`)}
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 1 || s.Rejects != 2 {
		t.Fatalf("%+v %v", s, err)
	}
	one, key := d.idOf(subject, 1), d.idOf(pipeline.KeySubject(d.topic), 1)
	rejects := pipeline.Rejects{Cluster: d.cluster, Topic: d.topic}
	d.must(rejects.List(t.Context(), func(x pipeline.Reject) error {
		if x.Facts["schema-id"] != fmt.Sprint(one) || x.Facts["subject"] != subject || x.Code != "type" {
			t.Errorf("%+v", x)
		}
		return nil
	}))
	wider := d.csv(seatRows)
	wider.Register = schemaFile(strings.Replace(seatSchema(""), `["null","double"]`, `["null","double","string"]`, 1))
	d.sent(wider)
	again := d.csv("")
	again.Pin = pipeline.Pin{}
	redrive := pipeline.Redrive{Rejects: rejects, Type: again.RowTyping(pipeline.KeysAsTheyWere)}
	s, err := redrive.Run(t.Context(), func(pipeline.Redriven) error { return nil })
	if err != nil || s[pipeline.OutcomeSent] != 1 || s[pipeline.OutcomeAgain] != 1 {
		t.Errorf("%v %v", s, err)
	}
	two := d.idOf(subject, 2)
	d.wantIDs(map[[2]int]int{{key, one}: 1, {0, two}: 2, {key, two}: 1})
	if out := d.printed(d.topic, asJSON); !strings.Contains(out, `"name":"bob"`) || !strings.Contains(out, "later") || strings.Contains(out, "carl") {
		t.Errorf("consume prints\n%s", out)
	}
	d.decoded(d.topic, `["ann",{"id":1,"name":"ann","fare":2.5}]`, `["bob",{"id":2,"name":"bob","fare":"later"}]`,
		`[null,{"id":1,"name":"ann","fare":2.5}]`, `[null,{"id":2,"name":"b,ob","fare":null}]`)
}
