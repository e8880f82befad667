package main

import (
	"fmt"
	"strconv"
	"strings"
)

// parseSize reads a number of bytes: 1048576, 512KiB, 128MiB, 1GiB.
func parseSize(text string) (int64, error) {
	digits, shift := text, 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			digits, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("%q is no size: write it as 1048576, 512KiB, 128MiB or 1GiB", text)
	}
	return n << shift, nil
}
