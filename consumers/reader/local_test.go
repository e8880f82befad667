package reader

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"stripeline/schemas"
)

func TestLocalFindsTargetsThatAreMountedLater(t *testing.T) {
	c := build(t, "RS-3-2-4k", pattern(50000), whole("RS-3-2-4k", 9))
	b := c.blocks[c.order[0]]
	unmounted := errors.New("no id file")
	mounted := false
	target := b.Shards[2].Target
	open := Local(func(dir string) (schemas.TargetID, error) {
		if dir == c.dirs[target] && mounted {
			return target, nil
		}
		return schemas.TargetID{}, unmounted
	}, c.dirs[target])
	_, err := open(t.Context(), b.ID, b.Shards[2])
	if !errors.Is(err, ErrNoTarget) || !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, unmounted) ||
		!strings.Contains(err.Error(), target.String()) {
		t.Fatalf("unmounted: %v", err)
	}
	mounted = true
	f, err := open(t.Context(), b.ID, b.Shards[2])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 2000)
	if _, err := f.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	if h, _, err := schemas.ParseShardHeader(head); err != nil || h.Incarnation != b.Shards[2].Incarnation {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := open(t.Context(), b.ID, b.Shards[1]); !errors.Is(err, ErrNoTarget) {
		t.Errorf("another target: %v", err)
	}
	if err := os.Remove(c.path(b.ID, b.Shards[2])); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), b.ID, b.Shards[2]); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoTarget) {
		t.Errorf("shard removed: %v", err)
	}
}

// TestRankDecidesAmongEquals has two copies of the data: the nearer one is read.
func TestRankDecidesAmongEquals(t *testing.T) {
	c := build(t, "RS-3-2-4k", pattern(50000), whole("RS-3-2-4k", 9))
	c.lose(0)
	for near := 3; near <= 4; near++ {
		source := c.source()
		source.Rank = func(s schemas.Shard) int {
			if int(s.Index) == near {
				return 0
			}
			return 1
		}
		f, err := Open(t.Context(), source, c.entry)
		if err != nil {
			t.Fatal(err)
		}
		before := c.asked(7 - near)
		got, err := readAll(f)
		if err != nil || !bytes.Equal(got, c.data) || c.asked(7-near) != before {
			t.Errorf("parity %d is near: %v, %d bytes of the other", near, err, c.asked(7-near)-before)
		}
		_ = f.Close()
	}
}

// TestKeptBeforeDropped reads a shard that is to be dropped only when the kept ones are not enough.
func TestKeptBeforeDropped(t *testing.T) {
	c := build(t, "RS-3-2-4k", pattern(50000), whole("RS-3-2-4k", 9))
	b := c.blocks[c.order[0]]
	b.Shards[0].State = schemas.ShardDrop
	expectWhole(t, c, "dropped", -1)
	if c.asked(0) > 0 {
		t.Errorf("%d bytes of the dropped shard", c.asked(0))
	}
	c.lose(3, 4)
	expectWhole(t, c, "dropped, and needed", -1)
	if c.asked(0) == 0 {
		t.Error("nothing of the dropped shard")
	}
}
