package registry

import (
	"strings"
	"testing"
)

// TestParsedSchemasAreKeptInBoundedMemory: the one used longest ago goes first, and one that would fill the cache alone is not kept.
func TestParsedSchemasAreKeptInBoundedMemory(t *testing.T) {
	one := &parsedSchema{text: strings.Repeat("x", 1000)}
	cache := newParsedCache(3 * one.memory())
	key := func(n byte) parsedKey { return parsedKey{of: hash{n}} }
	for n := range byte(3) {
		cache.put(key(n), one)
	}
	cache.get(key(0))
	cache.put(key(3), one)
	for n, kept := range []bool{true, false, true, true} {
		if got := cache.get(key(byte(n))) != nil; got != kept {
			t.Errorf("schema %d kept: %t, want %t", n, got, kept)
		}
	}
	cache.put(key(4), &parsedSchema{text: strings.Repeat("x", 4000)})
	if cache.get(key(4)) != nil || cache.held > cache.most {
		t.Errorf("%d bytes held, at most %d", cache.held, cache.most)
	}
}
