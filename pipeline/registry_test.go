package pipeline

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// electable is an elected schemaLog; each term is one of two instances on the same topic, in turn, so that the transactional id fences the other.
type electable struct {
	registry.Log
	instances [2]*schemaLog
	term      int64
}

func (e *electable) Append(ctx context.Context, term int64, records []registry.Record) (int64, error) {
	return e.instances[term%2].Append(ctx, (term+1)/2, records)
}

func (e *electable) elect(t *testing.T) int64 {
	e.term++
	log := e.instances[e.term%2]
	writer, err := log.cluster.NewTransactor(t.Context(), log.id, log.topic)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := log.begin(t.Context(), writer), (e.term+1)/2; got != want {
		t.Fatalf("term %d, want %d", got, want)
	}
	return e.term
}

func ownBroker(t *testing.T) *kafka.Cluster {
	return brokertest.Connect(t, kafka.Config{Brokers: brokertest.Fake(t).ListenAddrs(), Namespace: brokertest.Name(t)})
}

// openedTopic makes a topic for schemas that no other test has, on the brokers that tests run against.
func openedTopic(t *testing.T) (*kafka.Cluster, string) {
	t.Helper()
	cluster, topic := brokertest.Connect(t, brokertest.Config(t)), brokertest.Name(t)
	if err := ensureSchemasTopic(t.Context(), cluster, topic); err != nil {
		t.Fatal(err)
	}
	return cluster, topic
}

func TestSchemaLogKeepsWhatARegistryReliesOn(t *testing.T) {
	t.Run("single", func(t *testing.T) {
		logtest.Conformance(t, func(t *testing.T) logtest.Opened {
			cluster, topic := openedTopic(t)
			e := &single{}
			elect := func() int64 {
				log := newSchemaLog(cluster, topic)
				if err := log.open(t.Context()); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(log.end)
				e.Log = log
				e.terms = append(e.terms, log)
				return int64(len(e.terms) - 1)
			}
			return logtest.Opened{Term: elect(), Log: e, Elect: elect}
		})
	})
	t.Run("elected", func(t *testing.T) {
		logtest.Conformance(t, func(t *testing.T) logtest.Opened {
			cluster, topic := openedTopic(t)
			e := &electable{}
			for i := range e.instances {
				e.instances[i] = newSchemaLog(cluster, topic)
				newSeat(e.instances[i], "")
				t.Cleanup(e.instances[i].end)
			}
			e.Log = e.instances[0]
			return logtest.Opened{Log: e, Term: e.elect(t), Elect: func() int64 { return e.elect(t) }}
		})
	})
}

// single is a line of logs without an election, of which the last one opened is the one that may write.
type single struct {
	registry.Log
	terms []*schemaLog
}

func (s *single) Append(ctx context.Context, term int64, records []registry.Record) (int64, error) {
	return s.terms[term].Append(ctx, 0, records)
}

func TestAFencedLogStaysFenced(t *testing.T) {
	cluster, topic := openedTopic(t)
	older, newer := newSchemaLog(cluster, topic), newSchemaLog(cluster, topic)
	defer older.end()
	defer newer.end()
	noop := []registry.Record{{Key: registry.NoopKey()}}
	for _, log := range []*schemaLog{older, newer} {
		if err := log.open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := older.Append(t.Context(), 0, noop); !errors.Is(err, registry.ErrNotLeader) {
			t.Errorf("append by the older log: %v, want ErrNotLeader", err)
		}
	}
	if _, err := newer.Append(t.Context(), 0, noop); err != nil {
		t.Errorf("append by the newer log: %v", err)
	}
}

func serve(t *testing.T, cluster *kafka.Cluster) (url string, stop func()) {
	t.Helper()
	r, err := OpenRegistry(t.Context(), cluster, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, listener) }()
	return "http://" + listener.Addr().String(), func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/vnd.schemaregistry.v1+json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestRegistryKeepsIdsAndVersionsAcrossARestart(t *testing.T) {
	cluster := ownBroker(t)
	url, stop := serve(t, cluster)
	for i, schema := range []string{`"string"`, `"long"`} {
		status, text := post(t, url+"/subjects/s"+string(rune('a'+i))+"/versions", `{"schema":"`+strings.ReplaceAll(schema, `"`, `\"`)+`"}`)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	stop()
	url, stop = serve(t, cluster)
	defer stop()
	if status, text := post(t, url+"/subjects/other/versions", `{"schema":"\"long\""}`); status != http.StatusOK || !strings.Contains(text, `"id":2`) {
		t.Errorf("%d %s, want the old id 2", status, text)
	}
	if status, text := post(t, url+"/subjects/third/versions", `{"schema":"\"int\""}`); status != http.StatusOK || !strings.Contains(text, `"id":3`) {
		t.Errorf("%d %s, want the next id 3", status, text)
	}
}

func TestRegistryRefusesATopicItCannotLiveOn(t *testing.T) {
	for name, topic := range map[string]kafka.Topic{
		"partitions": {Name: SchemasTopic, Partitions: 2, Configs: map[string]string{kafka.CleanupPolicy: "compact"}},
		"policy":     {Name: SchemasTopic, Partitions: 1, Configs: map[string]string{kafka.CleanupPolicy: "delete"}},
	} {
		cluster := ownBroker(t)
		if err := cluster.Create(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRegistry(t.Context(), cluster, registry.Options{}); !errors.Is(err, kafka.ErrWrongTopic) {
			t.Errorf("%s: %v, want ErrWrongTopic", name, err)
		}
	}
}
