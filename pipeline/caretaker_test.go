package pipeline

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"stripeline/schemas"
)

// TestRemovedShardsAreGoneAndOnRecord removes a file, lets the grace period be over, and reads what the seal makes of the acks.
func TestRemovedShardsAreGoneAndOnRecord(t *testing.T) {
	d := startStack(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	mustPut(t, d.Site, PutOptions{Path: "/f", Policy: "XOR-2-1-64k"}, content(1, 200_000))
	detail, err := d.Site.Detail(ctx, "/f")
	if err != nil || len(detail.Blocks) != 1 {
		t.Fatalf("detail: %+v, %v", detail, err)
	}
	if err := d.Site.Remove(ctx, "/f"); err != nil {
		t.Fatal(err)
	}
	id := detail.Blocks[0].ID
	block, err := d.Worker.blocks.Await(ctx, id, func(b *schemas.Block) bool { return b.State == schemas.BlockDeleted })
	if err != nil {
		t.Fatal(err)
	}
	care := newCaretaker(d.Worker)
	care.see(&block)
	care.removeDue(ctx)
	if shards, _ := filepath.Glob(filepath.Join(d.options.Dir, "targets", "*", "??", "*.shard")); len(shards) != 3 {
		t.Fatalf("before the grace period is over: %v are left of 3", shards)
	}
	care.grace = 0
	care.removeDue(ctx)
	if shards, _ := filepath.Glob(filepath.Join(d.options.Dir, "targets", "*", "??", "*.shard")); len(shards) != 0 {
		t.Fatalf("left: %v", shards)
	}
	_, err = d.Worker.blocks.Await(ctx, id, func(b *schemas.Block) bool {
		for _, s := range b.Shards {
			if s.State != schemas.ShardRemoved {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Fatalf("the record never said that the shards are removed: %v", err)
	}
	status, err := d.Site.blocks(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range status.Links {
		if l.Rejects != 0 {
			t.Errorf("link %s put %d records aside", l.Link, l.Rejects)
		}
	}
}
