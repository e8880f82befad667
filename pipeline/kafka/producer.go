package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	defaultBuffered = 32 << 20
	defaultBatch    = 1000012 // the client's own default: fits max.message.bytes of a stock broker
)

// ProducerConfig says how a Producer writes.
type ProducerConfig struct {
	Name        string                   // names the producer in metrics; "producer" when empty
	MaxBuffered int64                    // bytes; Produce blocks above it. 32 MiB when 0
	MaxBatch    int32                    // bytes of a batch before compression, at most the topics' max.message.bytes. 1,000,012 when 0
	BatchFor    func(topic string) int32 // MaxBatch per topic, nil for MaxBatch throughout
	Compression string                   // none (also when empty), gzip, snappy, lz4, zstd
	Linger      time.Duration            // wait for company before sending
	Manual      []string                 // topics whose records go to Record.Partition, modulo their count, instead of by key
}

// Producer writes records to any topic: acks=all, idempotent, retried without end until its context or Close ends it.
// Keys choose partitions as Kafka's Java client does (murmur2). It is safe for concurrent use.
type Producer struct {
	client *kgo.Client
}

// NewProducer opens a producer. Nothing is sent before the first record.
func (c *Cluster) NewProducer(cfg ProducerConfig) (*Producer, error) {
	if cfg.Name == "" {
		cfg.Name = "producer"
	}
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	client, err := c.open(cfg.Name, opts...)
	if err != nil {
		return nil, err
	}
	return &Producer{client: client}, nil
}

func (cfg ProducerConfig) options() ([]kgo.Opt, error) {
	if cfg.MaxBuffered == 0 {
		cfg.MaxBuffered = defaultBuffered
	}
	if cfg.MaxBatch == 0 {
		cfg.MaxBatch = defaultBatch
	}
	codec, err := compression(cfg.Compression)
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(cfg.Linger),
		kgo.ProducerBatchCompression(codec),
		kgo.MaxBufferedBytes(int(cfg.MaxBuffered)),
		kgo.ProducerBatchMaxBytes(cfg.MaxBatch),
		kgo.RecordPartitioner(partitioner{cfg.Manual, kgo.UniformBytesPartitioner(64<<10, true, true, nil)}),
	}
	if cfg.BatchFor != nil {
		opts = append(opts, kgo.ProducerBatchMaxBytesFn(cfg.BatchFor))
	}
	return opts, nil
}

func compression(name string) (kgo.CompressionCodec, error) {
	switch name {
	case "", "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression(), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.NoCompression(), fmt.Errorf("%w: compression %q: use none, gzip, snappy, lz4 or zstd", ErrConfig, name)
}

// Produce sends a record in the background and tells done when the brokers have it, or why they never will. It blocks
// while the buffer is full. The record, its key and its value belong to the producer until done is called; done must not
// block. A record whose context ends before it was sent is not written; after that its fate is awaited.
func (p *Producer) Produce(ctx context.Context, r *Record, done func(*Record, error)) {
	p.client.Produce(ctx, r, func(r *Record, err error) { done(r, Explain(r, err)) })
}

// Send is Produce with the client's own error, which Explain makes ours. It costs no memory of its own.
func (p *Producer) Send(ctx context.Context, r *Record, done func(*Record, error)) {
	p.client.Produce(ctx, r, done)
}

// ProduceSync sends records and waits until the brokers have all of them, or gives the first error. With credentials that
// the brokers refuse it waits as long as ctx lets it: Connect tells those at once. Where ctx ends first, records that are on
// their way may still arrive; they must not be used again.
func (p *Producer) ProduceSync(ctx context.Context, records ...*Record) error {
	answers := make(chan error, len(records))
	for _, r := range records {
		p.client.Produce(ctx, r, func(r *Record, err error) { answers <- Explain(r, err) })
	}
	var first error
	for range records {
		select {
		case err := <-answers:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return wrap(ctx.Err(), "wait for the brokers' word")
		}
	}
	return first
}

// Explain gives the error of a record that was not written, marked as one of ours where it is one.
func Explain(r *Record, err error) error {
	if err == nil {
		return nil
	}
	return wrap(err, "write to %s", r.Topic)
}

// Flush waits until everything given to Produce has been confirmed or failed.
func (p *Producer) Flush(ctx context.Context) error {
	return wrap(p.client.Flush(ctx), "flush producer")
}

// Buffered gives the bytes that wait for their confirmation.
func (p *Producer) Buffered() int64 { return p.client.BufferedProduceBytes() }

// Close ends the producer; what is not confirmed by then fails with ErrClosed. Flush first.
func (p *Producer) Close() { p.client.Close() }

// partitioner sends the records of some topics where they ask to go and all others by key.
type partitioner struct {
	manual []string
	byKey  kgo.Partitioner
}

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if slices.Contains(p.manual, topic) {
		return asked{}
	}
	return p.byKey.ForTopic(topic)
}

// asked sends a record to Record.Partition, modulo the number of partitions.
type asked struct{}

// RequiresConsistency says that a partition without a leader is waited for, not replaced.
func (asked) RequiresConsistency(*Record) bool { return true }

// Partition implements kgo.TopicPartitioner.
func (asked) Partition(r *Record, n int) int { return int(uint32(r.Partition)) % n }
