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

// electable gives a schemaLog terms as an election would: each term is a log of its own on the same topic, the earlier ones fenced.
type electable struct {
	registry.Log
	cluster *kafka.Cluster
	terms   []*schemaLog
}

func (e *electable) Append(ctx context.Context, term int64, records []registry.Record) (int64, error) {
	return e.terms[term].Append(ctx, term, records)
}

func (e *electable) elect(t *testing.T) int64 {
	log := newSchemaLog(e.cluster)
	if err := log.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.close)
	e.terms = append(e.terms, log)
	return int64(len(e.terms) - 1)
}

func ownBroker(t *testing.T) *kafka.Cluster {
	return brokertest.Connect(t, kafka.Config{Brokers: brokertest.Fake(t).ListenAddrs(), Namespace: brokertest.Name(t)})
}

func TestSchemaLogKeepsWhatARegistryReliesOn(t *testing.T) {
	logtest.Conformance(t, func(t *testing.T) logtest.Opened {
		cluster := ownBroker(t)
		if err := ensureSchemasTopic(t.Context(), cluster); err != nil {
			t.Fatal(err)
		}
		e := &electable{Log: newSchemaLog(cluster), cluster: cluster}
		term := e.elect(t)
		return logtest.Opened{Log: e, Term: term, Elect: func() int64 { return e.elect(t) }}
	})
}

func TestAFencedLogStaysFenced(t *testing.T) {
	cluster := ownBroker(t)
	if err := ensureSchemasTopic(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	older, newer := newSchemaLog(cluster), newSchemaLog(cluster)
	defer older.close()
	defer newer.close()
	noop := []registry.Record{{Key: []byte(`{"keytype":"NOOP","magic":0}`)}}
	for _, log := range []*schemaLog{older, newer} {
		if err := log.open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := older.Append(t.Context(), 0, noop); !errors.Is(err, registry.ErrNotLeader) {
			t.Errorf("the older log wrote, or said %v", err)
		}
		if _, err := newer.Append(t.Context(), 0, noop); err != nil {
			t.Errorf("the newer log: %v", err)
		}
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
