package main

import (
	"runtime/debug"
	"testing"
)

func TestHeapIsBoundedUnlessThereAreTablesOrGOMEMLIMITSaysOtherwise(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, c := range []struct {
		tables int
		env    string
		want   int64
	}{{0, "", rowMemory}, {1, "", before}, {0, "1GiB", before}} {
		debug.SetMemoryLimit(before)
		t.Setenv("GOMEMLIMIT", c.env)
		boundMemory(c.tables)
		if got := debug.SetMemoryLimit(-1); got != c.want {
			t.Errorf("%d tables, GOMEMLIMIT=%q: %d, want %d", c.tables, c.env, got, c.want)
		}
	}
}
