package interoptest

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
	"stripeline/schemas/client"
)

// avroClients read and write Avro records under a registry, in the same words.
var avroClients = []struct{ tool, script string }{{"python", "avro.py"}, {"node", "avro.js"}}

// TestStrangersReadWhatProduceCSVSends sends a CSV file and lets hamba/avro, Python and Node decode it.
func TestStrangersReadWhatProduceCSVSends(t *testing.T) {
	s, want := anyStack(t), airportsOf(t)
	topic := brokertest.Topic(t, s.Site.Cluster, 3)
	id, err := s.registry(t).Register(t.Context(), pipeline.ValueSubject(topic), client.Schema{Text: readFile(t, airportsSchema)})
	if err != nil {
		t.Fatal(err)
	}
	p := pipeline.ProduceCSV{Registry: s.registry(t), Key: []string{"faa"},
		Production: pipeline.Production{Cluster: s.Site.Cluster, Files: []string{filepath.Join(root(t), airportsCSV)}, Topic: topic}}
	p.Cells.Nulls = []string{"NA"}
	if summary, err := p.Run(t.Context()); err != nil || summary.Acked != int64(len(want)) || summary.Rejects != 0 {
		t.Fatalf("%+v, %v", summary, err)
	}
	t.Run("hamba", func(t *testing.T) {
		judgeAirports(t, decodeWithHamba(t, s.records(t, topic, len(want)), id), want)
	})
	for _, c := range avroClients {
		t.Run(c.tool, func(t *testing.T) {
			out := run(t, "", need(t, c.tool), filepath.Join("testdata", c.script), "read", s.brokers, s.RegistryURL(), topic, fmt.Sprint(len(want)))
			judgeAirports(t, fromJSON(t, out), want)
		})
	}
}

// records reads n records of a topic by a client that knows nothing of Stripeline.
func (s stack) records(t *testing.T, topic string, n int) []*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.brokers), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []*kgo.Record
	for len(all) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d records of %s: %v", len(all), n, topic, err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

// decodeWithHamba takes values apart by the schema in the file, not by the registry's.
func decodeWithHamba(t *testing.T, records []*kgo.Record, id int) []airport {
	t.Helper()
	schema, err := avro.Parse(readFile(t, airportsSchema))
	if err != nil {
		t.Fatal(err)
	}
	var all []airport
	for _, r := range records {
		var a airport
		if r.Value[0] != 0 || binary.BigEndian.Uint32(r.Value[1:]) != uint32(id) {
			t.Fatalf("value begins with % x, want schema %d", r.Value[:5], id)
		}
		if err := avro.Unmarshal(schema, r.Value[5:], &a); err != nil || a.FAA != string(r.Key) {
			t.Fatalf("key %s, airport %s: %v", r.Key, a.FAA, err)
		}
		all = append(all, a)
	}
	return all
}

// TestConsumePrintsWhatStrangersSend lets Python's AvroSerializer and Node's encoder register the schema and send rows.
func TestConsumePrintsWhatStrangersSend(t *testing.T) {
	s, rows := anyStack(t), airportsOf(t)
	for _, c := range avroClients {
		t.Run(c.tool, func(t *testing.T) {
			program, topic := need(t, c.tool), brokertest.Topic(t, s.Site.Cluster, 3)
			run(t, asJSON(t, rows), program, filepath.Join("testdata", c.script), "write", s.brokers, s.RegistryURL(), topic, filepath.Join(root(t), airportsSchema))
			format, err := pipeline.PrintFormat("json")
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			consume := pipeline.Consume{Cluster: s.Site.Cluster, Registry: s.registry(t), Topic: topic, Print: pipeline.PrintOptions{Format: format}, Out: &out}
			if n, err := consume.Run(t.Context()); err != nil || n != int64(len(rows)) {
				t.Fatalf("%d rows, %v", n, err)
			}
			judgeAirports(t, fromJSON(t, out.String()), rows)
		})
	}
}
