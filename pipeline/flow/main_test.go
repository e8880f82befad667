package flow_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees that links, readers and producers leave no goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
