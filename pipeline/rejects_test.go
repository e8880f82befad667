package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// lines gives the lines of the rejects that are asked for, with their states.
func (w *rowWorld) lines(r Rejects) []string {
	w.t.Helper()
	r.Cluster, r.Topic = w.cluster, w.topic
	var all []string
	if err := r.List(w.t.Context(), func(x Reject) error { all = append(all, x.Facts[headerLine]+" "+x.State); return nil }); err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func (w *rowWorld) redrive(p *ProduceCSV, r *Redrive) RedriveSummary {
	w.t.Helper()
	r.Type, r.Cluster, r.Topic = p.RowTyping(KeysAsTheyWere), w.cluster, w.topic
	s, err := r.Run(w.t.Context(), func(Redriven) error { return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestRedriveReadsRowsAsTheirFilesWereRead(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("amount|name|junk|id\n1|'a|b'|j|1\nNA|'c||d'|j|2\nNA|plain|j|3\n\xef\xbb\xbf9|e|j|4\n"))
	p.CSV.Delimiter, p.CSV.Quote, p.Key, p.Provenance, p.Cells.IgnoreExtra = '|', '\'', []string{"id"}, true, true
	if s, err := p.Run(t.Context()); err != nil || s.Rejects != 3 {
		t.Fatalf("%+v %v", s, err)
	}
	second := w.csv(w.file("id,name,amount\n5,f,NA\n")) // another file, read otherwise
	if s, err := second.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	w.registry.add(ValueSubject(w.topic), strings.Replace(rowSchema, `"amount","type":"double"`, `"amount","type":["null","double"],"default":null`, 1))
	again := w.csv()
	again.Cells.Nulls = []string{"NA"}
	if s := w.redrive(again, &Redrive{}); s[OutcomeSent] != 3 || s[OutcomeAgain] != 1 {
		t.Errorf("%v", s)
	}
	out, n := w.printed(Consume{Print: PrintOptions{Format: "json", Meta: true}})
	for _, want := range []string{`"id":2,"name":"c||d","amount":null`, `"id":3,"name":"plain"`, `"id":5,"name":"f"`, `"key":"3"`} {
		if n != 4 || !strings.Contains(out, want) {
			t.Errorf("%d records, %s is not in\n%s", n, want, out)
		}
	}
	for _, x := range w.rejects() {
		if x.Facts[headerAttempt] != "2" {
			continue
		}
		if x.Facts[headerColumns] != `["amount","name","junk","id"]` || !strings.Contains(x.Facts[headerTyping], `"null":["NA"]`) ||
			x.Facts[headerSchemaID] != "2" || x.Facts[headerLine] != "5" || !strings.HasPrefix(string(x.Value), "\xef\xbb\xbf9|") {
			t.Errorf("the reject of a redrive is %+v", x)
		}
	}
}

func TestRedriveKeepsTheSubjectAndMakesTheSameKeys(t *testing.T) {
	w := newRowWorld(t)
	w.registry.add("other", rowSchema)
	key := w.registry.add(KeySubject(w.topic), `"int"`)
	p := w.csv(w.file("id,name,amount\n5,a,NA\n"))
	p.Pin.Subject, p.Key, p.AvroKey = "other", []string{"id"}, &AvroKey{}
	if s, err := p.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	w.registry.add(KeySubject(w.topic), `"long"`)
	mended := w.registry.add("other", strings.Replace(rowSchema, `"amount","type":"double"`, `"amount","type":["null","double"],"default":null`, 1))
	again := w.csv()
	again.Cells.Nulls = []string{"NA"}
	if s := w.redrive(again, &Redrive{}); s[OutcomeSent] != 1 {
		t.Errorf("%v", s)
	}
	err := (&Consume{Cluster: w.cluster, Topic: w.topic}).each(t.Context(), func(r *kafka.Record) error {
		if want := []byte{0, 0, 0, 0, byte(key.ID), 10}; !bytes.Equal(r.Key, want) || r.Value[4] != byte(mended.ID) {
			t.Errorf("key % x, want % x; value % x, want schema %d", r.Key, want, r.Value, mended.ID)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRedriveNeverSendsPartOfARow(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("id,amount,name\n1,1," + strings.Repeat("x", 100) + "\n"))
	p.CSV.MaxRow = 64
	if s, err := p.Run(t.Context()); err != nil || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	if s := w.redrive(w.csv(), &Redrive{}); s[OutcomeAgain] != 1 {
		t.Errorf("%v", s)
	}
}

func TestRejectsAreChosenByStateAndTime(t *testing.T) {
	w := newRowWorld(t)
	produce := func(text string) {
		t.Helper()
		if _, err := w.csv(w.file(text)).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	produce("id,name,amount\n1,a,none\n2,b,later\n")
	w.registry.add(ValueSubject(w.topic), strings.Replace(rowSchema, `"amount","type":"double"`, `"amount","type":["null","double"],"default":null`, 1))
	mended := w.csv()
	mended.Cells = rowplan.Options{Nulls: []string{"none"}}
	if s := w.redrive(mended, &Redrive{Rejects: Rejects{Limit: 1}}); s[OutcomeSent]+s[OutcomeAgain] != 1 {
		t.Fatalf("%v", s)
	}
	if s := w.redrive(mended, &Redrive{Rejects: Rejects{Limit: 1}}); s[OutcomeDone] != 1 || s[OutcomeSent]+s[OutcomeAgain] != 1 {
		t.Fatalf("what was dealt with counts against the limit: %v", s)
	}
	for _, c := range []struct {
		r    Rejects
		want []string
	}{
		{Rejects{}, []string{"2 sent", "3 again", "3 waiting"}},
		{Rejects{Waiting: true}, []string{"3 waiting"}},
		{Rejects{Until: time.Now().Add(-time.Hour)}, nil},
		{Rejects{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, []string{"2 sent", "3 again", "3 waiting"}},
		{Rejects{Since: time.Now().Add(time.Hour)}, nil},
		{Rejects{Column: "name"}, nil},
		{Rejects{Column: "amount", Code: "type", File: "in.csv", Waiting: true}, []string{"3 waiting"}},
	} {
		if got := w.lines(c.r); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%+v: %q, want %q", c.r, got, c.want)
		}
	}
}

func TestStatesOfAnEarlierRejectsTopicAreNotThoseOfThisOne(t *testing.T) {
	w := newRowWorld(t)
	if s := w.redrive(w.csv(), &Redrive{}); len(s) != 0 {
		t.Errorf("%v of no rejects", s)
	}
	if _, err := w.csv(w.file("id,name,amount\nx,a,1\ny,b,1\n")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := w.redrive(w.csv(), &Redrive{DryRun: true}); s[OutcomeAgain] != 2 {
		t.Errorf("%v", s)
	}
	if err := w.cluster.Ensure(t.Context(), kafka.Topic{Name: StateTopic(w.topic), Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	producer, err := w.cluster.NewProducer(kafka.ProducerConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	x := w.rejects()[0]
	for _, id := range []string{"another", ""} { // "": written before states had it
		state, err := stateRecord(x, Redriven{Partition: x.Partition, Offset: x.Offset, Outcome: OutcomeSent}, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := producer.ProduceSync(t.Context(), state); err != nil {
			t.Fatal(err)
		}
		if got := w.lines(Rejects{Waiting: true}); (len(got) == 2) != (id != "") {
			t.Errorf("with a state of topic %q: %q", id, got)
		}
	}
}

func TestABoundaryOfTimeIsInTheLaterPart(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	x := rejectOf(&kafka.Record{Timestamp: at})
	for _, c := range []struct {
		r    Rejects
		want bool
	}{{Rejects{Since: at}, true}, {Rejects{Since: at.Add(1)}, false}, {Rejects{Until: at}, false}, {Rejects{Until: at.Add(1)}, true}} {
		if c.r.wanted(x) != c.want {
			t.Errorf("%+v: %t", c.r, !c.want)
		}
	}
}

func TestARejectAgainHasTheNewReasonAlone(t *testing.T) {
	first := flow.RejectRecord("transform.a.b", &kafka.Record{Topic: "a", Partition: 1, Value: []byte("v"),
		Headers: []kafka.Header{{Key: "code", Value: []byte("mine")}, {Key: "line", Value: []byte("7")}}},
		&schemas.Rejection{Code: "type", Message: "old", Headers: []schemas.Header{{Key: "column", Value: []byte("c")}, {Key: "value", Value: []byte("w")}}})
	x := rejectOf(first)
	if len(x.own) != 2 || x.Code != "type" || x.Facts["column"] != "c" {
		t.Fatalf("%+v", x)
	}
	again := rejectOf(rejectAgain(x, &schemas.Rejection{Code: "columns", Message: "new"}, 2))
	if again.Code != "columns" || again.Message != "new" || again.Facts["column"]+again.Facts["value"] != "" || again.Facts[headerAttempt] != "2" ||
		again.Facts[flow.HeaderLink] != "transform.a.b" || fmt.Sprint(again.own) != fmt.Sprint(x.own) || string(again.Value) != "v" || again.Partition != 1 {
		t.Errorf("%+v", again)
	}
}
