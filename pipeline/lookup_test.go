package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

const lookedRowMap = `
lookups: {names: TOPIC}
fields:
  out_id: row.id
  out_name: 'names[row.name] == null ? "nobody" : names[row.name].full'
  twice: row.amount
  source: {const: s}
`

// named puts values of a lookup, nil for a tombstone.
func (w *rowWorld) named(topic string, names map[string]string) {
	w.t.Helper()
	producer, err := w.cluster.NewProducer(kafka.ProducerConfig{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer producer.Close()
	schema, err := w.registry.Version(w.t.Context(), ValueSubject(topic), Latest)
	if err != nil {
		w.t.Fatal(err)
	}
	for key, full := range names {
		r := &kafka.Record{Topic: topic, Key: []byte(key)}
		if full != "" {
			r.Value = append([]byte{0, 0, 0, 0, byte(schema.ID), byte(2 * len(full))}, full...)
		}
		if err := producer.ProduceSync(w.t.Context(), r); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestTransformLooksUpInACompactedTopicAndFollowsIt(t *testing.T) {
	w := newRowWorld(t)
	table := brokertest.Topic(t, w.cluster, 2, kafka.CleanupPolicy, "compact")
	w.registry.add(ValueSubject(table), `{"type":"record","name":"person","fields":[{"name":"full","type":"string"}]}`)
	w.named(table, map[string]string{"n0": "Zero", "n1": "One"})
	w.named(table, map[string]string{"n0": ""})
	w.rows(3)
	job, to := w.transform(strings.Replace(lookedRowMap, "TOPIC", table, 1))
	job.ToEnd = false
	job.Observer = flow.NewObserver()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := job.Run(ctx); ended <- err }()
	done := func(n int64) {
		if err := job.Observer.Await(ctx, func(l []flow.LinkStatus) bool { return len(l) == 1 && l[0].Counts.Done >= n }); err != nil {
			t.Fatal(err)
		}
	}
	done(3)
	if out, _ := w.printed(Consume{Topic: to, Print: PrintOptions{Format: "csv"}}); !strings.Contains(out, "0,nobody,") || !strings.Contains(out, "1,One,") {
		t.Errorf("\n%s", out)
	}
	w.named(table, map[string]string{"n2": "Two"})
	for n := int64(6); ; n += 3 { // a change applies from some record on
		w.rows(3)
		done(n)
		if out, _ := w.printed(Consume{Topic: to, Print: PrintOptions{Format: "csv"}}); strings.Contains(out, "2,Two,") {
			break
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestALookupWithoutTopicOrSubjectIsSaidBeforeTheStart(t *testing.T) {
	w, missing := newRowWorld(t), brokertest.Name(t)
	job, _ := w.transform(strings.Replace(lookedRowMap, "TOPIC", missing, 1))
	if _, err := job.Run(t.Context()); !errors.Is(err, ErrUnknownSchema) || !strings.Contains(err.Error(), "lookup names") {
		t.Errorf("%v", err)
	}
	w.registry.add(ValueSubject(missing), `{"type":"record","name":"person","fields":[{"name":"full","type":"string"}]}`)
	if _, err := job.Run(t.Context()); !errors.Is(err, kafka.ErrUnknownTopic) {
		t.Errorf("%v", err)
	}
}

func TestPlanSaysHowManyTablesItKeeps(t *testing.T) {
	w := newRowWorld(t)
	table := brokertest.Topic(t, w.cluster, 1, kafka.CleanupPolicy, "compact")
	w.registry.add(ValueSubject(table), `{"type":"record","name":"person","fields":[{"name":"full","type":"string"}]}`)
	for text, want := range map[string]int{
		strings.Replace(lookedRowMap, "TOPIC", table, 1):             1,
		rowMap + "# lookups: {names: " + table + "}":                 0,
		strings.Replace(rowMap, "const: test", "const: lookups:", 1): 0,
	} {
		job, _ := w.transform(text)
		told := -1
		job.Checked = func(plan *TransformPlan) { told = plan.Tables() }
		if _, err := job.Run(t.Context()); err != nil || told != want {
			t.Errorf("%s\nkeeps %d tables, %v; want %d", text, told, err, want)
		}
	}
}
