package pipeline

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline/brokertest"
	"stripeline/schemas/rowplan"
)

// benchMap is a mapping of rows and the schema of what comes out.
type benchMap struct {
	name        string
	rows        benchRows
	count       int
	out, fields string
}

const renamed = "  out_id: row.id\n  out_name: row.name\n  twice: row.amount\n  source: {const: s}\n"

func benchMaps() []benchMap {
	return []benchMap{
		{"rename", narrowRows(), 2_000_000, outRowSchema, renamed},
		{"two", narrowRows(), 2_000_000, outRowSchema, strings.NewReplacer("row.id", "row.id + 1", "row.amount", "row.amount * 2.0").Replace(renamed)},
		{"ten", narrowRows(), 2_000_000, computedSchema(""), "  a: row.id * 2 + 1\n  b: row.amount * 1.19\n  c: row.id % 7 == 0\n" +
			"  d: row.name + '-' + string(row.id)\n  e: 'row.note == null ? \"none\" : row.note'\n  f: row.name.upperAscii()\n" +
			"  g: 'row.amount > 500.0 ? row.amount - 500.0 : 0.0'\n  h: size(row.name)\n  i: row.id / 100\n  j: row.name.startsWith('name1') && row.id > 10\n"},
		{"flights-ten", flightRows(), 500_000, computedSchema(flightFields()), "  a: row.flight * 2 + 1\n  b: row.distance * 1.609\n  c: row.month % 2 == 0\n" +
			"  d: row.carrier + '-' + row.tailnum\n  e: 'row.origin == null ? \"none\" : row.origin'\n  f: row.dest.lowerAscii()\n" +
			"  g: 'row.arr_delay > 10.0 ? row.arr_delay - 10.0 : 0.0'\n  h: size(row.tailnum)\n  i: row.sched_dep_time / 100\n  j: row.arr_delay > row.dep_delay\nrest: copy\n"},
		{"ten-more", narrowRows(), 1_000_000, computedSchema(""), "  a: timestamp(row.id).getFullYear()\n  b: math.round(row.amount)\n" +
			"  c: row.name in ['name1', 'name22', 'name333']\n  d: row.name.replace('name', 'n')\n  e: string(timestamp(row.id) + duration('1h'))\n" +
			"  f: string(decimal(row.id) * decimal('1.19'))\n  g: math.greatest(row.amount, 1.5)\n  h: row.name.indexOf('1')\n" +
			"  i: int(timestamp(row.id) - timestamp('2020-01-01T00:00:00Z'))\n  j: row.name.matches('^name[0-9]+$')\n"},
		{"two-loops", narrowRows(), 500_000, outRowSchema, strings.NewReplacer("row.id", "size([row.id].filter(i, i > 10))", "row.name", "row.name.split('a').join('e')").Replace(renamed)},
		{"two-functions", narrowRows(), 1_000_000, outRowSchema, strings.NewReplacer("row.id", "math.greatest(row.id, 10)", "row.name", "row.name.replace('n', 'm')").Replace(renamed)},
	}
}

// computedSchema has ten fields a to j that may be null, behind others.
func computedSchema(others string) string {
	var fields []string
	for i, kind := range strings.Fields("long double boolean string string string double long long boolean") {
		fields = append(fields, fmt.Sprintf(`{"name":"%c","type":["null",%q]}`, 'a'+i, kind))
	}
	return `{"type":"record","name":"computed","fields":[` + others + strings.Join(fields, ",") + `]}`
}

// flightFields are the fields of a flight, with a comma behind each.
func flightFields() string {
	_, fields, _ := strings.Cut(flightRows().schema, `"fields":[`)
	return strings.TrimSuffix(fields, "]}") + ","
}

// BenchmarkTransform maps rows to another topic; ratio is to a loop of the client alone that reads and writes the same records.
func BenchmarkTransform(b *testing.B) {
	for _, m := range benchMaps() {
		b.Run(m.name, func(b *testing.B) {
			cfg := brokertest.Config(b)
			w := &rowWorld{t: b, cluster: brokertest.Connect(b, cfg), registry: &shelf{}}
			w.topic = brokertest.Topic(b, w.cluster, 4)
			w.registry.add(ValueSubject(w.topic), m.rows.schema)
			p := w.csv(m.rows.write(b, m.count))
			p.Cells = rowplan.Options{Nulls: []string{"NA"}}
			if s, err := p.Run(b.Context()); err != nil || s.Acked != int64(m.count) {
				b.Fatalf("%+v %v", s, err)
			}
			for _, delivery := range deliveries {
				b.Run(delivery.name, func(b *testing.B) { benchTransform(b, w, m, transformed{cfg.Brokers, delivery.exactlyOnce}) })
			}
		})
	}
}

type transformed struct {
	brokers     []string
	exactlyOnce bool
}

func benchTransform(b *testing.B, w *rowWorld, m benchMap, how transformed) {
	var ours, theirs time.Duration
	var allocated uint64
	for b.Loop() {
		to := brokertest.Topic(b, w.cluster, 4)
		w.registry.add(ValueSubject(to), m.out)
		job := &Transform{Cluster: w.cluster, Registry: w.registry, From: w.topic, To: to, Group: to, ToEnd: true, ExactlyOnce: how.exactlyOnce,
			MapName: "map.yaml", MapText: []byte("fields:\n" + m.fields)}
		before := mallocs()
		s, err := job.Run(b.Context())
		if err != nil || s.Emitted != int64(m.count) {
			b.Fatalf("%+v %v", s, err)
		}
		allocated += mallocs() - before
		ours += s.Took
		b.StopTimer()
		copied := brokertest.Topic(b, w.cluster, 4)
		theirs += copyLoop(b, how.brokers, [2]string{w.topic, copied}, m.count)
		if n := w.count(copied); n != int64(m.count) {
			b.Fatalf("the bare loop copied %d records", n)
		}
		b.StartTimer()
	}
	rows := float64(m.count) * float64(b.N)
	b.ReportMetric(rows/ours.Seconds(), "rows/s")
	b.ReportMetric(float64(allocated)/rows, "allocs/row") // the broker's too, when it runs in this process
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// mallocs is how many times memory was taken so far.
func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}

// count is the number of records in a topic that was never trimmed or written to in transactions.
func (w *rowWorld) count(topic string) (sum int64) {
	_, ends, err := w.cluster.Ends(w.t.Context(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, end := range ends {
		sum += end
	}
	return sum
}

// copyLoop reads a topic in a group and writes it to another with the client alone.
func copyLoop(b *testing.B, brokers []string, topics [2]string, rows int) time.Duration {
	began := time.Now()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedBytes(32<<20),
		kgo.ProducerLinger(0), kgo.ConsumerGroup(topics[1]), kgo.ConsumeTopics(topics[0]), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	for left := rows; left > 0; {
		fetches := client.PollFetches(b.Context())
		fetches.EachRecord(func(r *kgo.Record) {
			left--
			client.Produce(context.Background(), &kgo.Record{Topic: topics[1], Key: r.Key, Value: r.Value}, func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	if err := client.CommitUncommittedOffsets(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
