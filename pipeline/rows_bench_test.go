package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/rowplan"
)

// table of the rows that are sent: a schema and a line of a CSV for each number.
type benchRows struct {
	name, schema, header string
	line                 func(b *bytes.Buffer, i int)
}

func narrowRows() benchRows {
	return benchRows{"narrow", rowSchema, "id,name,amount,note", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, "%d,name%d,%d.25,\n", i, i%1000, i%977)
	}}
}

// flightRows are shaped like the nycflights13 table: 19 columns, some null.
func flightRows() benchRows {
	longs := "year month day dep_time sched_dep_time arr_time sched_arr_time flight hour minute"
	var fields []string
	for _, f := range strings.Fields(longs) {
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":["null","int"]}`, f))
	}
	for _, f := range strings.Fields("dep_delay arr_delay air_time distance") {
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":["null","double"]}`, f))
	}
	for _, f := range strings.Fields("carrier tailnum origin dest") {
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":["null","string"]}`, f))
	}
	fields = append(fields, `{"name":"time_hour","type":{"type":"long","logicalType":"timestamp-millis"}}`)
	return benchRows{"flights", `{"type":"record","name":"flight","fields":[` + strings.Join(fields, ",") + `]}`,
		"year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour",
		func(b *bytes.Buffer, i int) {
			fmt.Fprintf(b, "2013,%d,%d,517,515,2,830,819,11,UA,%d,N%d,EWR,IAH,NA,1400,5,15,2013-%02d-%02dT05:00:00Z\n", i%12+1, i%28+1, i%6000, i%9999, i%12+1, i%28+1)
		}}
}

func (r benchRows) write(b *testing.B, n int) string {
	var text bytes.Buffer
	text.WriteString(r.header + "\n")
	for i := range n {
		r.line(&text, i)
	}
	name := filepath.Join(b.TempDir(), r.name+".csv")
	if err := os.WriteFile(name, text.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	return name
}

// bare sends already encoded values with the client alone, as fast as it can.
func bare(b *testing.B, brokers []string, topic string, values [][]byte) time.Duration {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedBytes(32<<20), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	began := time.Now()
	for _, v := range values {
		client.Produce(context.Background(), &kgo.Record{Topic: topic, Value: v}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// readBack gives the values of a topic.
func readBack(b *testing.B, cluster *kafka.Cluster, topic string) [][]byte {
	var values [][]byte
	c := Consume{Cluster: cluster, Topic: topic}
	if err := c.each(b.Context(), func(r *kafka.Record) error { values = append(values, bytes.Clone(r.Value)); return nil }); err != nil {
		b.Fatal(err)
	}
	return values
}

// BenchmarkProduceCSV sends rows and then, in the same run, the same records already encoded with the client alone; ratio is ours to theirs.
func BenchmarkProduceCSV(b *testing.B) {
	const rows = 200_000
	for _, r := range []benchRows{narrowRows(), flightRows()} {
		b.Run(r.name, func(b *testing.B) {
			cfg := brokertest.Config(b)
			w := &rowWorld{t: b, cluster: brokertest.Connect(b, cfg), registry: &shelf{}}
			file := r.write(b, rows)
			var ours, theirs time.Duration
			for b.Loop() {
				w.topic = brokertest.Topic(b, w.cluster, 4)
				w.registry.add(ValueSubject(w.topic), r.schema)
				p := w.csv(file)
				p.Cells = rowplan.Options{Nulls: []string{"NA"}}
				s, err := p.Run(b.Context())
				if err != nil || s.Acked != rows {
					b.Fatalf("%+v %v", s, err)
				}
				ours += s.Took
				b.StopTimer()
				values := readBack(b, w.cluster, w.topic)
				theirs += bare(b, cfg.Brokers, brokertest.Topic(b, w.cluster, 4), values)
				b.StartTimer()
			}
			b.ReportMetric(float64(rows)*float64(b.N)/ours.Seconds(), "rows/s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
		})
	}
}

// BenchmarkTransform maps rows to another topic; ratio is to a loop of the client alone that reads and writes the same records.
func BenchmarkTransform(b *testing.B) {
	const rows = 1_000_000
	for name, text := range map[string]string{
		"rename":   "fields:\n  out_id: row.id\n  out_name: row.name\n  twice: row.amount\n  source: {const: s}\n",
		"computed": "fields:\n  out_id: row.id + 1\n  out_name: row.name\n  twice: row.amount * 2.0\n  source: {const: s}\n",
	} {
		b.Run(name, func(b *testing.B) {
			cfg := brokertest.Config(b)
			w := &rowWorld{t: b, cluster: brokertest.Connect(b, cfg), registry: &shelf{}}
			w.topic = brokertest.Topic(b, w.cluster, 4)
			w.registry.add(ValueSubject(w.topic), rowSchema)
			if s, err := w.csv(narrowRows().write(b, rows)).Run(b.Context()); err != nil || s.Acked != rows {
				b.Fatalf("%+v %v", s, err)
			}
			var ours, theirs time.Duration
			for b.Loop() {
				job, _ := w.transform(text)
				s, err := job.Run(b.Context())
				if err != nil || s.Emitted != rows {
					b.Fatalf("%+v %v", s, err)
				}
				ours += s.Took
				b.StopTimer()
				copied := brokertest.Topic(b, w.cluster, 4)
				theirs += copyLoop(b, cfg.Brokers, [2]string{w.topic, copied}, rows)
				if n := w.count(copied); n != rows {
					b.Fatalf("the bare loop copied %d records", n)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(rows)*float64(b.N)/ours.Seconds(), "rows/s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
		})
	}
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
