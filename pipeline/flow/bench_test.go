package flow_test

import (
	"context"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// load gives a cluster and a topic of six partitions with n records of a size.
func load(b *testing.B, n, size int) (*kafka.Cluster, string) {
	c := connect(b, brokertest.Config(b))
	in := brokertest.Topic(b, c, 6)
	p, err := c.NewProducer(kafka.ProducerConfig{Manual: []string{in}})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	value := make([]byte, size)
	for i := range n {
		p.Produce(context.Background(), &kafka.Record{Topic: in, Partition: int32(i), Value: value}, func(*kafka.Record, error) {})
	}
	if err := p.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	return c, in
}

// runThrough times a link from its start until n records are done.
func runThrough(b *testing.B, c *kafka.Cluster, link runner, n, size int) {
	b.SetBytes(int64(n) * int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	r := start(b, c, link)
	r.await(b, "all are done", func(s flow.LinkStatus) bool { return s.Counts.Done == int64(n) })
	b.StopTimer()
	if err := r.end(b); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()*float64(b.N), "records/s")
}

// null is a sink that keeps nothing.
type null struct{}

func (null) Put(context.Context, *kafka.Record) error         { return nil }
func (null) Flush(context.Context, func(*kafka.Record)) error { return nil }
func (null) Close() error                                     { return nil }
func same(r *kafka.Record, emit func(*kafka.Record)) error    { emit(r); return nil }
func openNull(context.Context, int32) (flow.Sink[*kafka.Record, *kafka.Record], error) {
	return null{}, nil
}

// Each benchmark is one run over a loaded topic: use -benchtime=1x.
func benchmark(b *testing.B, link func(in, out string) runner) {
	for name, size := range map[string][2]int{"rows": {500_000, 64}, "packets": {1000, 384 << 10}} {
		b.Run(name, func(b *testing.B) {
			c, in := load(b, size[0], size[1])
			out := brokertest.Topic(b, c, 6)
			runThrough(b, c, link(in, out), size[0], size[1])
		})
	}
}

func BenchmarkSinkLink(b *testing.B) {
	benchmark(b, func(in, _ string) runner {
		return &flow.SinkLink[*kafka.Record, *kafka.Record]{Name: "bench", Input: in, Stage: same, Open: openNull}
	})
}

func BenchmarkStageLink(b *testing.B) {
	benchmark(b, func(in, out string) runner {
		return &flow.StageLink{Name: "bench", Input: in, Stage: func(r *kafka.Record, emit func(*kafka.Record)) error {
			emit(&kafka.Record{Topic: out, Key: r.Key, Value: r.Value})
			return nil
		}}
	})
}

// BenchmarkRawConsume is the mark for BenchmarkSinkLink: the same records, read and dropped.
func BenchmarkRawConsume(b *testing.B) {
	for name, size := range map[string][2]int{"rows": {500_000, 64}, "packets": {1000, 384 << 10}} {
		b.Run(name, func(b *testing.B) {
			c, in := load(b, size[0], size[1])
			b.SetBytes(int64(size[0]) * int64(size[1]))
			b.ReportAllocs()
			b.ResetTimer()
			r, err := c.NewReader(kafka.ReaderConfig{Topic: in, Offsets: map[int32]int64{0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0}})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			for n := 0; n < size[0]; {
				records, err := r.Poll(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				n += len(records)
			}
			b.ReportMetric(float64(size[0])/b.Elapsed().Seconds(), "records/s")
		})
	}
}
