package pipeline

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline/kafka"
)

// BenchmarkJourneys measures put, get, degraded get and CSV rows, each with its ratio to the baseline of the same round:
// the raw hop through the same broker, the healthy get, the bare loop with the same records.
func BenchmarkJourneys(b *testing.B) {
	figures := map[string][]float64{}
	bench := Bench{Bytes: 256 << 20, Rows: 200_000, Rounds: b.N, Say: func(f BenchFigure) {
		figures[f.Name+" "+f.Unit] = append(figures[f.Name+" "+f.Unit], f.Rate)
		if f.Ratio > 0 {
			name := f.Name + "/" + f.Baseline
			figures[name] = append(figures[name], f.Ratio)
		}
	}}
	if err := bench.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
	for name, values := range figures {
		var sum float64
		for _, v := range values {
			sum += v
		}
		b.ReportMetric(sum/float64(len(values)), strings.ReplaceAll(name, " ", "-"))
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPutAgainstBareClient puts a file and, in the same run, sends and reads the same bytes with the bare client
// through the same broker; ratio is ours to theirs.
func BenchmarkPutAgainstBareClient(b *testing.B) {
	const length = 256 << 20
	d := startStack(b, 9)
	ctx := context.Background()
	var ours, theirs time.Duration
	for i := range b.N {
		took, err := timed(func() error { return bareHop(ctx, d, length) })
		if err != nil {
			b.Fatal(err)
		}
		theirs += took
		took, err = timed(func() error {
			_, err := d.Site.Put(ctx, demoContent(), PutOptions{Path: fmt.Sprintf("/b/%d", i), Size: length})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		ours += took
	}
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(float64(b.N)*length/(1<<20)/ours.Seconds(), "put-MiB/s")
	b.ReportMetric(float64(b.N)*length/(1<<20)/theirs.Seconds(), "bare-MiB/s")
}

// bareHop sends records of a packet's size and reads them meanwhile, with nothing but the client.
func bareHop(ctx context.Context, d *Dev, length int) error {
	const size = 393_216
	topic := fmt.Sprintf("bare-%d", time.Now().UnixNano())
	if err := d.cluster.Create(ctx, kafka.Topic{Name: topic, Partitions: DefaultShape().Partitions}); err != nil {
		return err
	}
	producer, err := kgo.NewClient(kgo.SeedBrokers(d.BrokerAddr()), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(64))
	if err != nil {
		return err
	}
	defer producer.Close()
	value := make([]byte, size)
	consumer, err := kgo.NewClient(kgo.SeedBrokers(d.BrokerAddr()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer consumer.Close()
	var failed atomic.Pointer[error]
	count := length / size
	go func() {
		for range count {
			producer.Produce(ctx, kgo.SliceRecord(value), func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(&err)
				}
			})
		}
	}()
	for seen := 0; seen < count; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		seen += fetches.NumRecords()
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
