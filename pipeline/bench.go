package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/client"
)

// Bench measures whole journeys against bare hops of the same bytes through the same broker, in one run.
type Bench struct {
	Bytes  int64 // of the file that is put, per round
	Rows   int   // of the CSV file
	Rounds int
	Logger *slog.Logger
	Say    func(BenchFigure) // told of every figure

	dev *Dev
	dir string
}

// BenchFigure is one measurement and, where there is one, its ratio to the baseline of the same round.
type BenchFigure struct {
	Round    int     `json:"round"`
	Name     string  `json:"name"`
	Rate     float64 `json:"rate"`
	Unit     string  `json:"unit"`
	Baseline string  `json:"baseline,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`
}

// Run measures on a stack of its own, in a temporary directory, and removes it.
func (b *Bench) Run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "stripeline-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.dev, err = StartDev(ctx, DevOptions{Dir: b.dir, BrokerAddr: "127.0.0.1:0", RegistryAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		Targets: 9, Durability: DurabilityProcess, Logger: b.Logger})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.dev.Run(running) }()
	for round := range b.Rounds {
		if err = errors.Join(b.blocks(running, round), b.rows(running, round)); err != nil {
			break
		}
	}
	stop()
	return errors.Join(err, <-ended, b.dev.Close())
}

// blocks measures the raw hop, put, get, and get with m targets gone.
func (b *Bench) blocks(ctx context.Context, round int) error {
	mib := func(took time.Duration) float64 { return float64(b.Bytes) / (1 << 20) / took.Seconds() }
	say := func(name string, rate float64, of BenchFigure) float64 {
		f := BenchFigure{Round: round, Name: name, Rate: rate, Unit: "MiB/s"}
		if of.Rate > 0 {
			f.Baseline, f.Ratio = of.Name, rate/of.Rate
		}
		b.Say(f)
		return rate
	}
	took, err := b.rawHop(ctx)
	if err != nil {
		return fmt.Errorf("raw hop: %w", err)
	}
	raw := BenchFigure{Name: "raw hop", Rate: say("raw hop", mib(took), BenchFigure{})}
	path := fmt.Sprintf("/bench/%d", round)
	if took, err = timed(func() error {
		_, err := b.dev.Site.Put(ctx, b.content(), PutOptions{Path: path, Size: b.Bytes})
		return err
	}); err != nil {
		return err
	}
	say("put", mib(took), raw)
	read := func() error { _, err := b.dev.Site.Get(ctx, path, io.Discard); return err }
	if took, err = timed(read); err != nil {
		return err
	}
	healthy := BenchFigure{Name: "get", Rate: say("get", mib(took), raw)}
	restore, err := b.hideTargets(3)
	if err != nil {
		return err
	}
	took, err = timed(read)
	if err = errors.Join(err, restore()); err != nil {
		return err
	}
	say("degraded get", mib(took), healthy)
	return b.dev.Site.Remove(ctx, path)
}

func timed(work func() error) (time.Duration, error) {
	began := time.Now()
	err := work()
	return time.Since(began), err
}

func (b *Bench) content() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{7}), b.Bytes) }

// hideTargets renames the shards' folders of some targets, and gives the way back.
func (b *Bench) hideTargets(count int) (func() error, error) {
	move := func(from, to string) error {
		for i := range count {
			if err := os.Rename(b.dev.TargetDir(i)+from, b.dev.TargetDir(i)+to); err != nil {
				return err
			}
		}
		return nil
	}
	return func() error { return move(".hidden", "") }, move("", ".hidden")
}

// rawHop sends the bytes of a put as bare records of a packet's size and reads them, at the same time.
func (b *Bench) rawHop(ctx context.Context) (time.Duration, error) {
	topic := "bench.hop"
	value := make([]byte, 393_216)
	if _, err := io.ReadFull(b.content(), value); err != nil {
		return 0, err
	}
	count := int((b.Bytes + int64(len(value)) - 1) / int64(len(value)))
	record := func() *kafka.Record { return &kafka.Record{Topic: topic, Value: value} }
	return b.hop(ctx, topic, count, record)
}

// hop produces records to a fresh topic and consumes them meanwhile, and gives the time until all were read.
func (b *Bench) hop(ctx context.Context, topic string, count int, next func() *kafka.Record) (time.Duration, error) {
	if err := b.dev.cluster.Create(ctx, kafka.Topic{Name: topic, Partitions: DefaultShape().Partitions}); err != nil {
		return 0, err
	}
	defer func() { _ = b.dev.cluster.Delete(context.WithoutCancel(ctx), topic) }()
	producer, err := b.dev.cluster.NewProducer(kafka.ProducerConfig{Name: "bench"})
	if err != nil {
		return 0, err
	}
	defer producer.Close()
	from := make(map[int32]int64)
	for p := range DefaultShape().Partitions {
		from[p] = 0
	}
	reader, err := b.dev.cluster.NewReader(kafka.ReaderConfig{Name: "bench", Topic: topic, Offsets: from})
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	return timed(func() error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error {
			var failed error
			for range count {
				producer.Produce(ctx, next(), func(_ *kafka.Record, err error) { failed = errors.Join(failed, err) })
			}
			return errors.Join(producer.Flush(ctx), failed)
		})
		group.Go(func() error {
			for seen := 0; seen < count; {
				records, err := reader.Poll(ctx)
				if err != nil {
					return err
				}
				seen += len(records)
			}
			return nil
		})
		return group.Wait()
	})
}

// rows measures CSV -> Avro -> topic against a bare loop that sends the same encoded records.
func (b *Bench) rows(ctx context.Context, round int) error {
	registry, err := b.dev.Registry()
	if err != nil {
		return err
	}
	schema, err := demodata.ReadFile("demodata/airports.avsc")
	if err != nil {
		return err
	}
	topic := fmt.Sprintf("bench.rows.%d", round)
	if _, err := registry.Register(ctx, ValueSubject(topic), client.Schema{Text: string(schema)}); err != nil {
		return err
	}
	if err := b.dev.cluster.Create(ctx, kafka.Topic{Name: topic, Partitions: DefaultShape().Partitions}); err != nil {
		return err
	}
	path, err := b.csv()
	if err != nil {
		return err
	}
	run := ProduceCSV{Production: Production{Cluster: b.dev.cluster, Files: []string{path}, Topic: topic}, Registry: registry}
	run.Cells.Nulls = []string{"NA"}
	summary, err := run.Run(ctx)
	if err != nil {
		return err
	}
	took, err := b.bareRows(ctx, topic, int(summary.Acked))
	if err != nil {
		return err
	}
	bare := float64(summary.Acked) / took.Seconds()
	rows := float64(summary.Rows) / summary.Took.Seconds()
	b.Say(BenchFigure{Round: round, Name: "bare rows", Rate: bare, Unit: "rows/s"})
	b.Say(BenchFigure{Round: round, Name: "csv rows", Rate: rows, Unit: "rows/s", Baseline: "bare rows", Ratio: rows / bare})
	return b.dev.cluster.Delete(ctx, topic)
}

// bareRows reads the records of a topic and sends their values again, timing the sending.
func (b *Bench) bareRows(ctx context.Context, topic string, count int) (time.Duration, error) {
	from, err := fromStart(ctx, b.dev.cluster, topic)
	if err != nil {
		return 0, err
	}
	reader, err := b.dev.cluster.NewReader(kafka.ReaderConfig{Name: "bench", Topic: topic, Offsets: from})
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	var values [][]byte
	for len(values) < count {
		records, err := reader.Poll(ctx)
		if err != nil {
			return 0, err
		}
		for _, r := range records {
			values = append(values, bytes.Clone(r.Value))
		}
	}
	producer, err := b.dev.cluster.NewProducer(kafka.ProducerConfig{Name: "bench"})
	if err != nil {
		return 0, err
	}
	defer producer.Close()
	return timed(func() error {
		var failed error
		for _, v := range values {
			producer.Produce(ctx, &kafka.Record{Topic: topic, Value: v}, func(_ *kafka.Record, err error) { failed = errors.Join(failed, err) })
		}
		return errors.Join(producer.Flush(ctx), failed)
	})
}

// csv writes a file of as many rows as asked for: the airports again and again.
func (b *Bench) csv() (string, error) {
	text, err := demodata.ReadFile("demodata/airports.csv")
	if err != nil {
		return "", err
	}
	header, body, _ := bytes.Cut(text, []byte("\n"))
	var all bytes.Buffer
	all.Write(append(header, '\n'))
	for rows := 0; rows < b.Rows; rows += bytes.Count(body, []byte("\n")) {
		all.Write(body)
	}
	path := filepath.Join(b.dir, "rows.csv")
	return path, os.WriteFile(path, all.Bytes(), 0o644)
}
