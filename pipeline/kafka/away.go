package kafka

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

// lasting are errors that the same request meets again however often it is tried.
var lasting = []error{
	ErrAuth, ErrConfig, ErrUnknownTopic, ErrWrongTopic, ErrTooLarge, ErrClosed, context.Canceled,
	kerr.InvalidTopicException, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.InvalidConfig, kerr.InvalidRequest, kerr.PolicyViolation,
	kerr.InvalidPartitions, kerr.InvalidReplicationFactor,
	kerr.UnsupportedVersion, kerr.UnsupportedForMessageFormat, kerr.UnsupportedCompressionType,
}

// IsLasting says whether an error will not pass by itself. Every other one means that brokers are away or in trouble, or that a transaction was lost:
// who can wait tries again.
func IsLasting(err error) bool {
	for _, kind := range lasting {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
