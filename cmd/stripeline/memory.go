package main

import (
	"bytes"
	"os"
	"runtime/debug"
)

// rowMemory is the heap at which the collector begins to work harder, so that a process that maps rows stays below 128 MiB. GOMEMLIMIT overrides it.
const rowMemory = 96 << 20

// boundMemory holds the heap of a mapping down, unless it keeps tables, which may be of any size: a limit below them would only cost time.
func boundMemory(mapText []byte) {
	if os.Getenv("GOMEMLIMIT") == "" && !bytes.Contains(mapText, []byte("lookups:")) {
		debug.SetMemoryLimit(rowMemory)
	}
}
