package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/producers/blockfile"
	"stripeline/schemas"
)

// writerBuffer is how many bytes of packets a writer has under way at most.
const writerBuffer = 24 << 20

// sayWaiting is how long a writer waits for the brokers before it says so.
const sayWaiting = time.Second

// writer is one open of one path, from create to commit.
type writer struct {
	site     *Site
	options  PutOptions
	policy   schemas.Policy
	producer *kafka.Producer // of packets
	commands *kafka.Producer // not behind packets that the brokers hold back
	catalog  *catalogFeed

	file       schemas.FileID
	generation schemas.Generation
	granted    []schemas.Numbers

	space  chan []byte // free record buffers: one owner each, the producer's until its promise
	sent   int64
	logged atomic.Int64
	mu     sync.Mutex
	failed error // the first packet that the brokers will never have
}

// newWriter checks what can be checked before anything is written, and begins to follow the catalog from its end.
func (s *Site) newWriter(ctx context.Context, o PutOptions) (*writer, error) {
	if o.Policy == "" {
		o.Policy = schemas.DefaultPolicy
	}
	if o.Level == "" {
		o.Level = Committed
	}
	policy, err := schemas.ParsePolicy(o.Policy)
	if err != nil {
		return nil, err
	}
	if err := schemas.CheckPath(o.Path); err != nil {
		return nil, err
	}
	if err := checkMetadata(o); err != nil {
		return nil, err
	}
	if err := s.checkTargets(ctx, policy); err != nil {
		return nil, err
	}
	limit, err := s.checkLimit(ctx, policy)
	if err != nil {
		return nil, err
	}
	w := &writer{site: s, options: o, policy: policy, file: schemas.NewFileID()}
	if err := w.connect(ctx, limit); err != nil {
		return nil, err
	}
	return w, nil
}

// connect opens the clients; after an error it leaves none open. limit is the largest record of the packets topic in bytes.
func (w *writer) connect(ctx context.Context, limit int32) error {
	var err error
	w.producer, err = w.site.Cluster.NewProducer(kafka.ProducerConfig{Name: "writer", MaxBatch: limit, MaxBuffered: writerBuffer + int64(limit)})
	if err != nil {
		return err
	}
	w.commands, err = w.site.Cluster.NewProducer(kafka.ProducerConfig{Name: "commands"})
	if err != nil {
		w.producer.Close()
		return err
	}
	if w.catalog, err = w.site.followCatalog(ctx, w.options.Path, w.commands); err != nil {
		w.producer.Close()
		w.commands.Close()
	}
	return err
}

func (w *writer) create(ctx context.Context) error {
	w.say("asking for blocks")
	command := schemas.Command{Kind: schemas.CommandCreate, Path: w.options.Path, File: w.file, Policy: w.policy.String(),
		Blocks: w.wanted(), IfVersion: w.options.IfVersion, Metadata: w.options.Metadata}
	answer, err := w.catalog.execute(ctx, &command)
	if err != nil {
		return fmt.Errorf("create %s: %w", w.options.Path, err)
	}
	w.generation, w.granted = answer.Generation, answer.Granted
	return nil
}

// wanted guesses how many blocks the file takes: one when its size is not known.
func (w *writer) wanted() int32 {
	return int32(min(schemas.MaxGrant, 1+w.options.Size/blockfile.BlockSize(0)))
}

func (w *writer) cutting() blockfile.Config {
	return blockfile.Config{File: w.file, Generation: w.generation, Policy: w.policy, Path: w.options.Path,
		Metadata: w.options.Metadata, Size: w.options.Size, Granted: w.granted, Grant: w.extend}
}

func (w *writer) extend(ctx context.Context, count int) ([]schemas.Numbers, error) {
	command := schemas.Command{Kind: schemas.CommandExtend, Path: w.options.Path, File: w.file, Generation: w.generation, Blocks: int32(count)}
	answer, err := w.catalog.execute(ctx, &command)
	return answer.Granted, err
}

// send cuts the input into packets and gives them to the brokers, until the input ends and the brokers have everything.
func (w *writer) send(ctx context.Context, cutter *blockfile.Cutter) error {
	room := cutter.Headroom()
	w.makeSpace(room + w.policy.Stripe())
	for {
		buffer, err := w.take(ctx)
		if err != nil {
			return err
		}
		p, err := cutter.Next(ctx, buffer[room:])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := w.produce(ctx, &p, buffer[:room+len(p.Payload)]); err != nil {
			return err
		}
	}
	w.say("waiting for the brokers")
	if err := w.producer.Flush(ctx); err != nil {
		return err
	}
	return w.failure()
}

// produce puts the packet's head directly before its payload in the buffer and hands the value to the producer, which
// owns the buffer until its promise.
func (w *writer) produce(ctx context.Context, p *schemas.Packet, buffer []byte) error {
	at := len(buffer) - len(p.Payload)
	head, err := w.site.Codecs.Packets.AppendHead(make([]byte, 0, at), p)
	if err != nil {
		return err
	}
	if len(head) > at {
		panic("pipeline: internal error: a packet's head is longer than its headroom")
	}
	value := buffer[at-len(head):]
	copy(value, head)
	record := &kafka.Record{Topic: w.site.Cluster.Name(schemas.TopicPackets), Key: p.Block[:], Value: value}
	payload := int64(len(p.Payload))
	w.producer.Produce(ctx, record, func(_ *kafka.Record, err error) {
		if err != nil {
			w.fail(err)
		}
		w.logged.Add(payload)
		w.space <- buffer[:cap(buffer)]
	})
	w.sent += payload
	w.say("sending")
	return w.failure()
}

// makeSpace makes the record buffers, as many as writerBuffer takes but at least four.
func (w *writer) makeSpace(size int) {
	count := max(4, writerBuffer/size)
	w.space = make(chan []byte, count)
	for range count {
		w.space <- make([]byte, size)
	}
}

// take waits for a free buffer, and says so when that takes long: the log is full, or the brokers are away.
func (w *writer) take(ctx context.Context) ([]byte, error) {
	long := time.NewTimer(sayWaiting)
	defer long.Stop()
	for {
		select {
		case buffer := <-w.space:
			return buffer, w.failure()
		case <-long.C:
			w.say("waiting: the brokers take no more (log full, or away)")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = err
	}
}

func (w *writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

func (w *writer) say(state string) {
	if w.options.Progress != nil {
		w.options.Progress(PutProgress{Sent: w.sent, Logged: w.logged.Load(), State: state})
	}
}

func (w *writer) close() {
	w.catalog.close()
	w.commands.Close()
	w.producer.Close()
}
