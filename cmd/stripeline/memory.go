package main

import (
	"os"
	"runtime/debug"
)

// rowMemory is the heap at which the collector begins to work harder, so that a process that maps rows stays below 128 MiB. GOMEMLIMIT overrides it.
const rowMemory = 96 << 20

// boundMemory holds the heap of a mapping down, unless it keeps tables, which may be of any size: a limit below them would only cost time.
func boundMemory(tables int) {
	if os.Getenv("GOMEMLIMIT") == "" && tables == 0 {
		debug.SetMemoryLimit(rowMemory)
	}
}
