package rowstest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/pipeline/kafka/embedded"
	"stripeline/schemas/client"
	"stripeline/schemas/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stack is a broker, the embedded one unless brokertest has real ones, with a schema registry on a port: our own unless brokertest has another.
type stack struct {
	t           *testing.T
	config      kafka.Config
	cluster     *kafka.Cluster
	registryURL string
	registry    pipeline.RegistryClient
}

func newStack(t *testing.T) *stack {
	s := &stack{t: t}
	if brokertest.Real() {
		s.config = brokertest.Config(t)
	} else {
		broker, err := embedded.Start(t.Context(), embedded.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
		s.must(err)
		t.Cleanup(func() { s.must(broker.Close()) })
		s.config = kafka.Config{Brokers: []string{broker.Addr()}, Namespace: brokertest.Name(t)}
	}
	s.cluster = brokertest.Connect(t, s.config)
	if s.registryURL = brokertest.Registry(); s.registryURL == "" {
		s.serveRegistry()
	}
	s.registry = s.client(client.Config{URLs: []string{s.registryURL}})
	return s
}

// client gives a client of a registry that believes nothing for longer than a moment.
func (s *stack) client(config client.Config) pipeline.RegistryClient {
	if config.Transport == nil {
		transport := &http.Transport{}
		s.t.Cleanup(transport.CloseIdleConnections)
		config.Transport = transport
	}
	config.LatestTTL, config.NegativeTTL = time.Millisecond, time.Millisecond
	c, err := client.Open(config)
	s.must(err)
	return pipeline.RegistryClient{Client: c}
}

func (s *stack) serveRegistry() {
	r, err := pipeline.OpenRegistry(s.t.Context(), s.cluster, registry.Options{})
	s.must(err)
	var config net.ListenConfig
	listener, err := config.Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	s.must(err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx, listener) }()
	s.t.Cleanup(func() {
		stop()
		s.must(errors.Join(<-served, r.Close()))
	})
	s.registryURL = "http://" + listener.Addr().String()
}

func (s *stack) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// topic makes a topic whose values have a schema, and gives its name and the schema's id.
func (s *stack) topic(schema string) (string, int) {
	s.t.Helper()
	topic := brokertest.Topic(s.t, s.cluster, 3)
	id, err := s.registry.Register(s.t.Context(), pipeline.ValueSubject(topic), client.Schema{Text: schema})
	s.must(err)
	return topic, id
}

// each gives every record of a topic to see, read committed, by a client that knows nothing of Stripeline.
func (s *stack) each(topic string, see func(*kgo.Record)) (n int64) {
	s.t.Helper()
	starts, ends, err := s.cluster.Ends(s.t.Context(), topic)
	s.must(err)
	waiting := map[int32]int64{}
	for p, end := range ends {
		if end > starts[p] {
			waiting[int32(p)] = end
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.config.Brokers...), kgo.ConsumeTopics(topic), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	s.must(err)
	defer cl.Close()
	for len(waiting) > 0 {
		fetches := cl.PollFetches(s.t.Context())
		s.must(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset >= waiting[r.Partition]-1 {
				delete(waiting, r.Partition)
			}
			if !r.Attrs.IsControl() {
				n++
				see(r)
			}
		})
	}
	return n
}

func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// write puts text into a file.
func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
