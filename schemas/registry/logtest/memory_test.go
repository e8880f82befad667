package logtest_test

import (
	"testing"

	"stripeline/schemas/registry/logtest"
)

func TestMemoryConforms(t *testing.T) {
	logtest.Conformance(t, func(*testing.T) logtest.Opened {
		log := logtest.NewMemory()
		return logtest.Opened{Log: log, Elect: log.Elect}
	})
}
