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

// wideRows have fifty columns of four types.
func wideRows() benchRows {
	var fields, names []string
	for i := range 50 {
		name := fmt.Sprintf("c%d", i)
		names = append(names, name)
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":%s}`, name, []string{`"long"`, `"string"`, `["null","double"]`, `"int"`}[i%4]))
	}
	return benchRows{"wide", `{"type":"record","name":"wide","fields":[` + strings.Join(fields, ",") + `]}`, strings.Join(names, ","),
		func(b *bytes.Buffer, i int) {
			for c := range 50 {
				if c > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(b, []string{"%d", "t%d", "%d.5", "%d"}[c%4], (i+c)%10007)
			}
			b.WriteByte('\n')
		}}
}

// deliveries are the two promises that a journey may be run with.
var deliveries = []struct {
	name        string
	exactlyOnce bool
}{{"at-least-once", false}, {"exactly-once", true}}

// BenchmarkProduceCSV sends rows and then, in the same run, the same records already encoded with the client alone; ratio is ours to theirs.
func BenchmarkProduceCSV(b *testing.B) {
	for _, delivery := range deliveries {
		for _, r := range []struct {
			benchRows
			count int
		}{{narrowRows(), 1_000_000}, {flightRows(), 400_000}, {wideRows(), 100_000}} {
			b.Run(delivery.name+"/"+r.name, func(b *testing.B) { benchProduce(b, r.benchRows, r.count, delivery.exactlyOnce) })
		}
	}
}

func benchProduce(b *testing.B, r benchRows, rows int, exactlyOnce bool) {
	cfg := brokertest.Config(b)
	w := &rowWorld{t: b, cluster: brokertest.Connect(b, cfg), registry: &shelf{}}
	file := r.write(b, rows)
	log, err := OpenRunLog(b.Context(), w.cluster, w.registry)
	if err != nil {
		b.Fatal(err)
	}
	var ours, theirs time.Duration
	for b.Loop() {
		w.topic = brokertest.Topic(b, w.cluster, 4)
		w.registry.add(ValueSubject(w.topic), r.schema)
		p := w.csv(file)
		p.Cells, p.Recording = rowplan.Options{Nulls: []string{"NA"}}, Recording{Log: log, ExactlyOnce: exactlyOnce}
		s, err := p.Run(b.Context())
		if err != nil || s.Acked != int64(rows) {
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
}
