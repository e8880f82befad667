package interoptest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline/kafka/embedded"
)

const (
	theirs = 50 // records that a client sends
	ours   = 10 // records that it reads
)

// broker is an embedded broker with a topic from-go of two partitions that holds go-0 to go-9.
func broker(t *testing.T) string {
	t.Helper()
	b, err := embedded.Start(t.Context(), embedded.Options{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", Topics: []embedded.Topic{{Name: "from-go", Partitions: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	for i := range ours {
		r := &kgo.Record{Topic: "from-go", Key: fmt.Appendf(nil, "%d", i), Value: fmt.Appendf(nil, "go-%d", i)}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Addr()
}

// judgeSent reads what a client has sent to topic: value-0 to value-49, each in the partition where every client looks for its key.
func judgeSent(t *testing.T, addr, topic string, parts int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	where := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	got := make(map[string]struct{})
	for len(got) < theirs {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d records of %s: %v", len(got), theirs, topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			got[string(r.Value)] = struct{}{}
			if want := where.Partition(r, parts); int(r.Partition) != want {
				t.Errorf("key %s is in partition %d, want %d", r.Key, r.Partition, want)
			}
			if strings.TrimPrefix(string(r.Key), "key-") != strings.TrimPrefix(string(r.Value), "value-") {
				t.Errorf("key %s has value %s", r.Key, r.Value)
			}
		})
	}
}

// judgeRead compares a client's lines with what stands in from-go.
func judgeRead(t *testing.T, out string) {
	t.Helper()
	got := strings.Fields(out)
	slices.Sort(got)
	var want []string
	for i := range ours {
		want = append(want, fmt.Sprintf("go-%d", i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestScriptedClients(t *testing.T) {
	for _, c := range []struct{ tool, script string }{
		{"python", "librdkafka.py"},
		{"python", "aio.py"},
		{"node", "node.js"},
	} {
		t.Run(c.script, func(t *testing.T) {
			program := need(t, c.tool)
			addr := broker(t)
			out := run(t, "", program, filepath.Join("testdata", c.script), addr, "from-them", fmt.Sprint(theirs), "from-go", fmt.Sprint(ours))
			judgeRead(t, out)
			judgeSent(t, addr, "from-them", 3)
		})
	}
}
