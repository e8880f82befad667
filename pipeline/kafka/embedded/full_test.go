package embedded

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestLargeWritesWaitWhileTheLogIsFull(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, err := Start(ctx, Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", LogMax: 1 << 20, Capped: []string{"capped"},
		Topics: []Topic{{Name: "capped", Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.DefaultProduceTopic("capped"), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	large := func() *kgo.Record { return &kgo.Record{Value: bytes.Repeat([]byte("x"), 600<<10)} }
	for range 2 {
		if err := cl.ProduceSync(ctx, large()).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.awaitFull(ctx, t)
	done := make(chan error, 1)
	cl.Produce(ctx, large(), func(_ *kgo.Record, err error) { done <- err })
	other, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.DefaultProduceTopic("capped"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.ProduceSync(ctx, &kgo.Record{Value: []byte("small")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("a large write went through a full log: %v", err)
	default:
	}
	var offsets kadm.Offsets
	offsets.AddOffset("capped", 0, 2, -1)
	if _, err := kadm.NewClient(other).DeleteRecords(ctx, offsets); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("the held write: %v", err)
	}
}

// awaitFull waits until the broker has noticed that its log is full.
func (b *Broker) awaitFull(ctx context.Context, t *testing.T) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		b.gate.full.mu.Lock()
		full := b.gate.full.freed != nil
		b.gate.full.mu.Unlock()
		if full {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the log never became full")
		}
	}
}
