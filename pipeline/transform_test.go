package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

const outRowSchema = `{"type":"record","name":"out","fields":[
 {"name":"out_id","type":"long"},{"name":"out_name","type":"string"},{"name":"twice","type":"double"},{"name":"source","type":"string"}]}`

const rowMap = `
where: row.id != 4
key: row.name
fields:
  out_id: 10 / (row.id - 3)
  out_name: row.name
  twice: row.amount * 2.0
  source: {const: test}
`

func (w *rowWorld) transform(text string) (*Transform, string) {
	w.t.Helper()
	to := brokertest.Topic(w.t, w.cluster, 2)
	w.registry.add(ValueSubject(to), outRowSchema)
	return &Transform{
		Cluster: w.cluster, Registry: w.registry, From: w.topic, To: to, MapName: "map.yaml", MapText: []byte(text), ToEnd: true,
		Group: to + "-group",
	}, to
}

func TestTransformMapsToTheEndAndPutsRejectsAside(t *testing.T) {
	w := newRowWorld(t)
	w.rows(6) // id 3 divides by zero, id 4 is left out
	job, to := w.transform(rowMap)
	s, err := job.Run(t.Context())
	if err != nil || s.Records != 6 || s.Emitted != 4 || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	out, n := w.printed(Consume{Topic: to, Print: PrintOptions{Format: "csv", Meta: true}})
	if n != 4 || !strings.Contains(out, ",n5,5,n5,3,test\n") {
		t.Errorf("%d records:\n%s", n, out)
	}
	rejects := w.rejects()
	if len(rejects) != 1 || rejects[0].Code != "mapping" || rejects[0].Facts["field"] != "out_id" || rejects[0].Facts[flow.HeaderTopic] != w.topic {
		t.Errorf("%+v", rejects)
	}
	if s, err = job.Run(t.Context()); err != nil || s.Records != 0 {
		t.Errorf("a second run did %+v %v", s, err)
	}
}

func TestTransformExactlyOnceMapsAndPutsRejectsAsideInTransactions(t *testing.T) {
	w := newRowWorld(t)
	w.rows(6)
	job, to := w.transform(rowMap)
	job.ExactlyOnce = true
	s, err := job.Run(t.Context())
	if err != nil || s.Records != 6 || s.Emitted != 4 || s.Rejects != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	if out, n := w.printed(Consume{Topic: to, Print: PrintOptions{Format: "csv", Meta: true}}); n != 4 || !strings.Contains(out, ",n5,5,n5,3,test\n") {
		t.Errorf("%d records:\n%s", n, out)
	}
	if rejects := w.rejects(); len(rejects) != 1 || rejects[0].Code != "mapping" {
		t.Errorf("%+v", rejects)
	}
	if s, err = job.Run(t.Context()); err != nil || s.Records != 0 {
		t.Errorf("a second run did %+v %v", s, err)
	}
}

func TestTransformReadsOtherSchemaIdsByResolution(t *testing.T) {
	w := newRowWorld(t)
	w.rows(2)
	older := w.registry.schemas[0]
	newer := w.registry.add(ValueSubject(w.topic), strings.Replace(rowSchema, `{"name":"note"`, `{"name":"extra","type":"string","default":"d"},{"name":"note"`, 1))
	foreign := w.registry.add("foreign", `{"type":"record","name":"x","fields":[{"name":"z","type":"int"}]}`)
	producer, err := w.cluster.NewProducer(kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for _, value := range []string{"\x00\x00\x00\x00" + string(rune(foreign.ID)) + "\x02", "\x00\x00\x00\x00\x63\x02", "text"} {
		if err := producer.ProduceSync(t.Context(), &kafka.Record{Topic: w.topic, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	job, to := w.transform(strings.Replace(rowMap, "{const: test}", "row.extra", 1))
	if s, err := job.Run(t.Context()); err != nil || s.Rejects != 3 {
		t.Fatalf("%+v %v (schemas %d, %d)", s, err, older.ID, newer.ID)
	}
	out, n := w.printed(Consume{Topic: to, Print: PrintOptions{Format: "csv"}})
	if n != 2 || !strings.Contains(out, "n1,3,d\n") {
		t.Errorf("%d records:\n%s", n, out)
	}
	var codes []string
	for _, x := range w.rejects() {
		codes = append(codes, x.Code)
	}
	slices.Sort(codes)
	if fmt.Sprint(codes) != "[framing schema schema]" {
		t.Errorf("codes %v", codes)
	}
}

func TestTransformIsCheckedBeforeItStarts(t *testing.T) {
	w := newRowWorld(t)
	job, _ := w.transform(strings.Replace(rowMap, "row.name\n  twice", "row.amount\n  twice", 1))
	_, err := job.Run(t.Context())
	var findings Findings
	if !errors.As(err, &findings) || !strings.Contains(err.Error(), "map.yaml:6: field out_name: expression gives double, schema out wants string") {
		t.Errorf("%v", err)
	}
	if lag, err := w.cluster.Lag(t.Context(), job.Group); err == nil && lag.Members > 0 {
		t.Errorf("a group was joined: %+v", lag)
	}
	job.To = job.From
	if _, err := job.Run(t.Context()); err == nil {
		t.Error("a topic was mapped onto itself")
	}
}

func TestTransformDryRunShowsInAndOut(t *testing.T) {
	w := newRowWorld(t)
	w.rows(6)
	job, to := w.transform(rowMap)
	var all []Trial
	if err := job.Try(t.Context(), 20, func(x Trial) error { all = append(all, x); return nil }); err != nil {
		t.Fatal(err)
	}
	outs, left, rejects := 0, 0, 0
	for _, x := range all {
		switch {
		case x.Code == "mapping":
			rejects++
		case x.LeftOut:
			left++
		case strings.Contains(string(x.Out), `"source":"test"`) && strings.Contains(string(x.In), `"amount":1.5`):
			outs++
		}
	}
	if outs != 4 || left != 1 || rejects != 1 {
		t.Errorf("%d out, %d left out, %d rejects: %+v", outs, left, rejects, all)
	}
	if _, n := w.printed(Consume{Topic: to}); n != 0 {
		t.Errorf("%d records were written", n)
	}
}

func TestTransformStopsWithItsContext(t *testing.T) {
	w := newRowWorld(t)
	w.rows(3)
	job, _ := w.transform(rowMap)
	job.ToEnd = false
	job.Observer = flow.NewObserver()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = job.Observer.Await(ctx, func(links []flow.LinkStatus) bool { return len(links) == 1 && links[0].Counts.Done == 3 })
		cancel()
	}()
	if s, err := job.Run(ctx); !errors.Is(err, context.Canceled) || s.Records != 3 {
		t.Errorf("%+v %v", s, err)
	}
}

// A topic may end in what a producer left that was killed in a transaction: no reader is given it, and no group commits past it.
func TestTransformToTheEndOfATopicThatEndsInAbortedRecords(t *testing.T) {
	w := newRowWorld(t)
	w.rows(6)
	tx, err := w.cluster.NewTransactor(t.Context(), w.cluster.Name("aborted"), w.topic)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	if err := tx.Begin(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 40 {
		all.Add(1)
		tx.Produce(t.Context(), &kafka.Record{Topic: w.topic, Partition: int32(i % 2), Value: []byte("never seen")}, func(*kafka.Record, error) { all.Done() })
	}
	all.Wait()
	if err := tx.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, once := range []bool{false, true} {
		job, _ := w.transform(rowMap)
		job.ExactlyOnce = once
		if s, err := job.Run(t.Context()); err != nil || s.Records != 6 {
			t.Errorf("exactly once %v: %+v %v", once, s, err)
		}
	}
}
