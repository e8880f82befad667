package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/pipeline/kafka/embedded"
	"stripeline/schemas/registry"
)

// instance is a registry that takes part in elections, served on a port.
type instance struct {
	t        *testing.T
	registry *Registry
	url      string
	stop     func() // twice does no harm
}

func join(t *testing.T, cluster *kafka.Cluster, topic string) *instance {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{t: t, url: "http://" + listener.Addr().String()}
	i.registry, err = JoinRegistry(t.Context(), cluster, Instance{
		Options: registry.Options{Forward: http.DefaultTransport}, Topic: topic, Address: i.url, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.registry.Serve(ctx, listener) }()
	stopped := false
	i.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := i.registry.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(i.stop)
	return i
}

// await waits until what the instance knows of the leader fits.
func (i *instance) await(what string, fits func(registry.Leadership) bool) {
	i.t.Helper()
	awaitThat(i.t, what, func() bool { return fits(i.registry.log.seat.leadership()) })
}

func awaitThat(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

func (i *instance) leads() {
	i.t.Helper()
	i.await("instance leads", func(l registry.Leadership) bool { return l.Self })
}

// register registers an enum with a symbol of its own, or gives the error.
func (i *instance) register(subject, symbol string) (status int, text string) {
	i.t.Helper()
	return post(i.t, i.url+"/subjects/"+subject+"/versions", fmt.Sprintf(`{"schema":"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"%s\"]}"}`, symbol))
}

func (i *instance) registers(subject, symbol string, id int) {
	i.t.Helper()
	status, text := i.register(subject, symbol)
	if status != http.StatusOK || !strings.Contains(text, fmt.Sprintf(`"id":%d`, id)) {
		i.t.Errorf("register %s in %s: %d %s, want id %d", symbol, subject, status, text, id)
	}
}

func (i *instance) gets(path, want string) {
	i.t.Helper()
	response, err := http.Get(i.url + path)
	if err != nil {
		i.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(text), want) {
		i.t.Errorf("GET %s: %d %s %v, want %s", path, response.StatusCode, text, err, want)
	}
}

func TestOneInstanceLeadsAndTheOthersPassWritesOn(t *testing.T) {
	cluster, topic := openedTopic(t)
	first := join(t, cluster, topic)
	first.leads()
	second := join(t, cluster, topic)
	second.await("the leader's address is known", func(l registry.Leadership) bool { return l.Address == first.url })
	second.registers("a", "A", 1)
	first.gets("/metrics", "stripeline_registry_leader 1")
	first.gets("/metrics", "stripeline_registry_ids 1")
	second.gets("/metrics", `stripeline_registry_request_seconds_count{method="POST",route="/subjects/{}/versions",status="200"} 1`)
	id, err := cluster.ID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.gets("/v1/metadata/id", fmt.Sprintf(`"kafka-cluster":%q`, id))
	first.stop()
	second.leads()
	second.registers("b", "B", 2)
	second.registers("b2", "A", 1)
	third := join(t, cluster, topic)
	third.await("the new leader's address is known", func(l registry.Leadership) bool { return l.Address == second.url })
	third.registers("c", "C", 3)
	third.gets("/subjects", `["a","b","b2","c"]`)
}

// TestAFencedLeaderComesBack: one that opened the transactional id although it does not own the partition stops the owner only for a moment.
func TestAFencedLeaderComesBack(t *testing.T) {
	cluster, topic := openedTopic(t)
	leader := join(t, cluster, topic)
	leader.leads()
	leader.registers("a", "A", 1)
	before := leader.registry.log.seat.leadership().Term
	late := newSchemaLog(cluster, topic)
	defer late.end()
	if err := late.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, text := leader.register("b", "B"); status != http.StatusInternalServerError || !strings.Contains(text, `"error_code":50004`) {
		t.Errorf("a fenced leader answered %d %s, want 50004", status, text)
	}
	leader.await("the leader has a new term", func(l registry.Leadership) bool { return l.Self && l.Term > before })
	leader.registers("b", "B", 2)
	if _, err := late.Append(t.Context(), 0, []registry.Record{{Key: registry.NoopKey()}}); err == nil {
		t.Error("the late riser wrote")
	}
}

// TestALeaderOfAnotherMakeIsNobodyWeCanPassWritesTo: its NOOP has no address.
func TestALeaderOfAnotherMakeIsNobodyWeCanPassWritesTo(t *testing.T) {
	cluster, topic := openedTopic(t)
	log := newSchemaLog(cluster, topic)
	s := newSeat(log, "http://me")
	noop := &kafka.Record{Key: registry.NoopKey(), Headers: []kafka.Header{{Key: leaderHeader, Value: []byte("http://other")}}}
	log.learn(noop)
	if at := s.leadership(); at.Self || at.Address != "http://other" {
		t.Errorf("leader is %+v, want http://other", at)
	}
	log.learn(&kafka.Record{Key: []byte(`{"keytype":"CONTEXT"}`)})
	if at := s.leadership(); at.Address != "http://other" {
		t.Errorf("leader is %+v after a record that is no NOOP", at)
	}
	log.learn(&kafka.Record{Key: registry.NoopKey()})
	if at := s.leadership(); at.Address != "" {
		t.Errorf("leader is %+v after another registry's NOOP, want nobody", at)
	}
	log.learn(&kafka.Record{Key: registry.NoopKey(), Headers: []kafka.Header{{Key: leaderHeader, Value: []byte("http://me")}}})
	if at := s.leadership(); at.Self || at.Address != "" {
		t.Errorf("leader is %+v after our own old NOOP, want nobody", at)
	}
}

// TestIdsOutliveCompaction deletes a schema for good, lets the broker forget it, restarts and registers it again.
func TestIdsOutliveCompaction(t *testing.T) {
	cluster, topic := compactingTopic(t)
	first := join(t, cluster, topic)
	first.leads()
	first.registers("kept", "A", 1)
	first.registers("gone", "B", 2)
	if !holds(t, cluster, topic, `\"B\"`) {
		t.Fatal("the schema is not where the test looks for it")
	}
	for _, path := range []string{"/subjects/gone", "/subjects/gone?permanent=true"} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, first.url+path, nil)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("DELETE %s: %d", path, response.StatusCode)
		}
	}
	noise := 0
	awaitThat(t, "the topic is compacted", func() bool {
		noise++
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, first.url+"/config/noise",
			strings.NewReader(`{"compatibility":"`+[]string{"NONE", "FULL"}[noise%2]+`"}`))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return !holds(t, cluster, topic, `\"B\"`)
	})
	first.stop()
	second := join(t, cluster, topic)
	second.leads()
	second.gets("/schemas/ids/2", "40403")
	second.registers("new", "C", 3)
	second.registers("again", "B", 2)
	second.registers("kept", "A", 1)
}

// compactingTopic makes a topic for schemas that the broker compacts at once.
func compactingTopic(t *testing.T) (*kafka.Cluster, string) {
	t.Helper()
	cfg := brokertest.Config(t)
	if !brokertest.Real() {
		cfg.Brokers, cfg.Session = compactingBroker(t), 6*time.Second
	}
	cluster := brokertest.Connect(t, cfg)
	return cluster, brokertest.Topic(t, cluster, 1, kafka.CleanupPolicy, "compact", "segment.ms", "500", "min.cleanable.dirty.ratio", "0.01",
		"max.compaction.lag.ms", "1000", "delete.retention.ms", "100")
}

// compactingBroker is an embedded broker that compacts whatever was written.
func compactingBroker(t *testing.T) []string {
	t.Helper()
	broker, err := embedded.Start(t.Context(), embedded.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", CompactBytes: 1, Tidy: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	return []string{broker.Addr()}
}

// holds says whether the value of any record that can be read holds a text.
func holds(t *testing.T, cluster *kafka.Cluster, topic, text string) bool {
	t.Helper()
	_, ends, err := cluster.Ends(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := cluster.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: map[int32]int64{0: kafka.Start}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	found := false
	for reader.Position(0) < ends[0] {
		records, err := reader.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			found = found || bytes.Contains(r.Value, []byte(text))
		}
	}
	return found
}
