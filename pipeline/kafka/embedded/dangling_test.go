package embedded

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A broker that is killed within a transaction ends it with a marker when it is back: a reader reaches the stable end.
func TestTransactionOfKilledBrokerIsEndedByMarker(t *testing.T) {
	dir := t.TempDir()
	addr, kill := process(t, dir)
	defer func() { kill() }()
	producer, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID("t"), kgo.DefaultProduceTopic("u"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.CloseAllowingRebalance()
	if err := producer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := producer.ProduceSync(t.Context(), kgo.StringRecord("a"), kgo.StringRecord("b")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	kill()
	addr, kill = process(t, dir)
	reader, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumeTopics("u"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ends, err := kadm.NewClient(reader).ListCommittedOffsets(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup("u", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var reached int64
	for reached < end.Offset && ctx.Err() == nil {
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) { reached = r.Offset + 1 })
	}
	if end.Offset != 3 || reached != 3 {
		t.Fatalf("stable end %d, reached %d, want 3: two records and the marker", end.Offset, reached)
	}
}
