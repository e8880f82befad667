package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// redriven runs a redrive and gives its summary and what it said.
func (w *rowWorld) redriven(r *Redrive, options rowplan.Options) (RedriveSummary, []Redriven) {
	w.t.Helper()
	p := w.csv()
	p.CSV.Columns, p.Cells = []string{"id", "name", "amount"}, options
	r.Type, r.Cluster, r.Topic = p.RowTyping(KeysAsTheyWere), w.cluster, w.topic
	var all []Redriven
	s, err := r.Run(w.t.Context(), func(x Redriven) error { all = append(all, x); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return s, all
}

func TestRedriveSendsWhatFitsOnceAndRejectsTheRestAgain(t *testing.T) {
	w := newRowWorld(t)
	if s, err := w.csv(w.file("id,name,amount\n1,a,1\n2,b,none\n3,c,later\n")).Run(t.Context()); err != nil || s.Rejects != 2 {
		t.Fatalf("%+v %v", s, err)
	}
	if s, all := w.redriven(&Redrive{DryRun: true}, rowplan.Options{}); s[OutcomeAgain] != 2 || len(all) != 2 || len(w.rejects()) != 2 {
		t.Errorf("dry run: %v %+v, %d rejects", s, all, len(w.rejects()))
	}
	w.registry.add(ValueSubject(w.topic), strings.Replace(rowSchema, `"amount","type":"double"`, `"amount","type":["null","double"],"default":null`, 1))
	mended := rowplan.Options{Nulls: []string{"none"}}
	s, all := w.redriven(&Redrive{}, mended)
	if s[OutcomeSent] != 1 || s[OutcomeAgain] != 1 {
		t.Fatalf("%v %+v", s, all)
	}
	out, n := w.printed(Consume{})
	if n != 2 || !strings.Contains(out, `{"id":2,"name":"b","amount":null,"note":null}`) {
		t.Errorf("%d records:\n%s", n, out)
	}
	rejects := w.rejects()
	last := rejects[len(rejects)-1]
	for _, x := range rejects {
		if x.Facts[headerAttempt] == "2" {
			last = x
		}
	}
	if len(rejects) != 3 || string(last.Value) != "3,c,later" || last.Facts[headerAttempt] != "2" || last.Facts[headerLine] != "4" {
		t.Errorf("%d rejects, %+v", len(rejects), last)
	}
	states, n := w.printed(Consume{Topic: StateTopic(w.topic), Print: PrintOptions{Format: "json", Meta: true}})
	if n != 2 || !strings.Contains(states, fmt.Sprintf(`"key":"%s-`, flow.RejectsTopic(w.topic))) {
		t.Errorf("%d states:\n%s", n, states)
	}
	for attempt, want := range []RedriveSummary{{OutcomeDone: 2, OutcomeAgain: 1}, {OutcomeDone: 3, OutcomeGivenUp: 1}} {
		if s, _ = w.redriven(&Redrive{}, mended); fmt.Sprint(s) != fmt.Sprint(want) {
			t.Errorf("redrive %d: %v, want %v", attempt+2, s, want)
		}
	}
	if _, n := w.printed(Consume{}); n != 2 {
		t.Errorf("%d records after all", n)
	}
}

func TestRedriveWithoutColumnsSaysSo(t *testing.T) {
	w := newRowWorld(t)
	if _, err := w.csv(w.file("id,name,amount\nx,a,1\n")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	typing := w.csv().RowTyping(KeysAsTheyWere)
	x := w.rejects()[0]
	delete(x.Facts, headerColumns)
	if _, err := typing(t.Context(), x); !errors.Is(err, ErrNoColumns) {
		t.Errorf("%v", err)
	}
}

func TestRedriveMakesKeysAsTheyWereUnlessItIsTold(t *testing.T) {
	w := newRowWorld(t)
	w.registry.add(KeySubject(w.topic), `"int"`)
	p := w.csv(w.file("id,name,amount\n7,ann,1\n"))
	p.Key, p.AvroKey = []string{"name"}, &AvroKey{}
	if s, err := p.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	w.registry.add(KeySubject(w.topic), `"string"`)
	keyed := w.rejects()[0]
	keyless := keyed
	keyless.Facts = map[string]string{headerColumns: keyed.Facts[headerColumns], headerSubject: keyed.Facts[headerSubject]}
	for _, c := range []struct {
		name   string
		x      Reject
		avro   *AvroKey
		keys   KeysAgain
		key    string
		code   string
		failed error
	}{
		{"as it was", keyed, nil, KeysAsTheyWere, "", "type", nil},
		{"the latest version", keyed, &AvroKey{}, KeysAsTheyWere, "\x00\x00\x00\x00\x03\x06ann", "", nil},
		{"the version that it had", keyed, &AvroKey{Pin: Pin{Version: 1}}, KeysAsTheyWere, "", "type", nil},
		{"plain", keyed, nil, KeysPlain, "ann", "", nil},
		{"no key as there was none", keyless, nil, KeysAsTheyWere, "", "", nil},
		{"avro, of nobody knows what", keyless, &AvroKey{}, KeysAsTheyWere, "", "", ErrNoKeyColumns},
	} {
		again := w.csv()
		again.AvroKey = c.avro
		record, err := again.RowTyping(c.keys)(t.Context(), c.x)
		why, rejected := schemas.AsReject(err)
		switch {
		case c.failed != nil || err != nil && !rejected:
			if !errors.Is(err, c.failed) {
				t.Errorf("%s: %v, want %v", c.name, err, c.failed)
			}
		case rejected != (c.code != "") || rejected && why.Code != c.code || !rejected && string(record.Key) != c.key:
			t.Errorf("%s: %+v %v, want key %q or code %q", c.name, record, err, c.key, c.code)
		}
	}
}

func TestRejectAgainSaysTheSchemaThatItWasTriedWith(t *testing.T) {
	w, csv, _ := newRowWorldWithRegistry(t)
	p := csv(w.file("id,name,amount\nx,a,1\n"))
	p.Register = rowFile(rowSchema)
	if s, err := p.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	other, err := p.Writer.Add(t.Context(), "other", *rowFile(strings.Replace(rowSchema, `"name":"note"`, `"name":"remark"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		writer  SubjectWriter
		subject string
	}{{nil, ""}, {p.Writer, "other"}} {
		again := csv()
		again.Pin, again.Writer = Pin{ID: other.ID}, c.writer
		before := len(w.rejects())
		if s := w.redrive(again, &Redrive{}); s[OutcomeAgain] != 1 {
			t.Fatalf("%v", s)
		}
		rejects := w.rejects()
		last := slices.MaxFunc(rejects, func(a, b Reject) int { return cmp.Compare(a.Facts[headerAttempt], b.Facts[headerAttempt]) })
		subject, there := last.Facts[headerSubject]
		if len(rejects) != before+1 || subject != c.subject || there != (c.subject != "") || last.Facts[headerSchemaID] != strconv.Itoa(other.ID) {
			t.Errorf("%d rejects, the last %+v; want subject %q", len(rejects), last.Facts, c.subject)
		}
	}
}

func TestRedriveTakesOnlyRejectsOfOneOriginAndKeepsTheirHeaders(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("id,name,amount\n3,a,1\nx,b,1\n"))
	p.Provenance = true
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 1 || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	job, to := w.transform(rowMap)
	if s, err := job.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	for i, c := range []struct {
		mapping string
		want    RedriveSummary
	}{
		{rowMap, RedriveSummary{OutcomeOther: 1, OutcomeAgain: 1}},
		{strings.Replace(rowMap, "10 / (row.id - 3)", "row.id", 1), RedriveSummary{OutcomeOther: 1, OutcomeDone: 1, OutcomeSent: 1}},
	} {
		job.MapText = []byte(c.mapping)
		r := &Redrive{Rejects: Rejects{Cluster: w.cluster, Topic: w.topic}, Link: job.LinkName()}
		var err error
		if r.Type, err = job.MapTyping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, err := r.Run(t.Context(), func(Redriven) error { return nil }); err != nil || fmt.Sprint(s) != fmt.Sprint(c.want) {
			t.Errorf("redrive %d: %v %v, want %v", i, s, err, c.want)
		}
	}
	err := (&Consume{Cluster: w.cluster, Topic: to}).each(t.Context(), func(r *kafka.Record) error {
		if len(r.Headers) != 2 || r.Headers[0].Key != "file" || r.Headers[1].Key != "line" || string(r.Headers[1].Value) != "2" {
			t.Errorf("headers %q", r.Headers)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if s := w.redrive(w.csv(), &Redrive{}); s[OutcomeOther] != 2 || s[OutcomeAgain] != 1 {
		t.Errorf("rows: %v", s)
	}
}

func TestRedriveMapsRejectsOfTransform(t *testing.T) {
	w := newRowWorld(t)
	w.rows(6)
	job, to := w.transform(rowMap)
	if s, err := job.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	job.MapText = []byte(strings.Replace(rowMap, "10 / (row.id - 3)", "row.id", 1))
	r := &Redrive{Rejects: Rejects{Cluster: w.cluster, Topic: w.topic}, Link: job.LinkName()}
	var err error
	if r.Type, err = job.MapTyping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Run(t.Context(), func(Redriven) error { return nil }); err != nil || s[OutcomeSent] != 1 {
		t.Errorf("%v %v", s, err)
	}
	if out, n := w.printed(Consume{Topic: to, Print: PrintOptions{Format: "csv"}}); n != 5 || !strings.Contains(out, "3,n3,3,test\n") {
		t.Errorf("%d records:\n%s", n, out)
	}
}
