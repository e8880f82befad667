package flow_test

import (
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// copyTo gives a stage that copies each record to a topic, rejecting the value "value-13".
func copyTo(topic string) flow.Stage[*kafka.Record, *kafka.Record] {
	return func(in *kafka.Record, emit func(*kafka.Record)) error {
		if string(in.Value) == "value-13" {
			return schemas.Reject("unlucky", "13 is not a number", schemas.Header{Key: "column", Value: []byte("7")})
		}
		emit(&kafka.Record{Topic: topic, Key: in.Key, Value: in.Value})
		return nil
	}
}

func TestStageLinkCopiesRejectsAndCommits(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, out := brokertest.Topic(t, c, 3), brokertest.Topic(t, c, 2)
	write(t, c, in, 3, 0, 300)
	r := start(t, c, &flow.StageLink{Name: "copy", Input: in, Stage: copyTo(out)})
	r.await(t, "all are done", func(s flow.LinkStatus) bool { return s.Counts.Done == 300 })
	awaitCommits(t, c, r, c.Name("copy"), in)
	if err := r.end(t); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, rec := range read(t, c, out) {
		seen[string(rec.Value)]++
		if want := schemas.Partition(rec.Key, 2); rec.Partition != want {
			t.Errorf("key %s lies in partition %d, murmur2 says %d", rec.Key, rec.Partition, want)
		}
	}
	if len(seen) != 299 {
		t.Errorf("%d different records copied, want 299", len(seen))
	}
	rejects := read(t, c, flow.RejectsTopic(in))
	if len(rejects) != 1 {
		t.Fatalf("%d rejects, want 1", len(rejects))
	}
	checkReject(t, rejects[0], in)
}

func checkReject(t *testing.T, rec *kafka.Record, in string) {
	t.Helper()
	if string(rec.Value) != "value-13" || string(rec.Key) != "13" || rec.Partition != 13%3 {
		t.Errorf("reject is %q under %q in partition %d", rec.Value, rec.Key, rec.Partition)
	}
	want := map[string]string{
		flow.HeaderCode: "unlucky", flow.HeaderMessage: "13 is not a number", flow.HeaderTopic: in,
		flow.HeaderPartition: "1", flow.HeaderOffset: "4", flow.HeaderLink: "copy", "column": "7",
	}
	for _, h := range rec.Headers {
		if text, ok := want[h.Key]; ok && text != string(h.Value) {
			t.Errorf("header %s is %q, want %q", h.Key, h.Value, text)
		}
		delete(want, h.Key)
	}
	for key := range want {
		t.Errorf("header %s is missing", key)
	}
}
