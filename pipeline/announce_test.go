package pipeline

import (
	"context"
	"testing"

	"stripeline/schemas"
)

// A block whose record says nothing of a shard that is on disk learns of it at the worker's start.
func TestAWorkerAnnouncesWhatItsRecordLacks(t *testing.T) {
	d := startStack(t, 3)
	ctx := context.Background()
	mustPut(t, d.Site, PutOptions{Path: "/f", Policy: "XOR-2-1-64k"}, content(1, 500_000))
	entry, err := d.Site.Stat(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	known := entry.Extents[0].Block
	if err := d.Worker.view.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	d.Worker.blocks.Put(known[:], nil) // this worker's view loses the record
	ends, err := d.cluster.StableEnds(ctx, d.cluster.Name(schemas.TopicAcks))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Worker.announceShards(ctx); err != nil {
		t.Fatal(err)
	}
	after, err := d.cluster.StableEnds(ctx, d.cluster.Name(schemas.TopicAcks))
	if err != nil {
		t.Fatal(err)
	}
	var acks int64
	for p := range ends {
		acks += after[p] - ends[p]
	}
	if acks < 3 {
		t.Fatalf("%d acks for 3 shards that no record knows", acks)
	}
	mustGet(t, d.Site, "/f", content(1, 500_000))
}
