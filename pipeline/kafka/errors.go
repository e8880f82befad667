package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Errors that callers branch on.
var (
	ErrUnreachable  = errors.New("no broker reachable")
	ErrAuth         = errors.New("not authorized")
	ErrUnknownTopic = errors.New("unknown topic")
	ErrWrongTopic   = errors.New("topic is not as it must be")
	ErrOutOfRange   = errors.New("offset out of range")
	ErrFenced       = errors.New("fenced by a newer producer of the same id")
	ErrTooLarge     = errors.New("record is larger than the topic allows")
	ErrClosed       = errors.New("client is closed")
)

// marks pairs the client's errors with ours.
var marks = []struct{ theirs, ours error }{
	{kerr.ProducerFenced, ErrFenced},
	{kerr.InvalidProducerEpoch, ErrFenced},
	{kerr.InvalidProducerIDMapping, ErrFenced},
	{kerr.InvalidTxnState, ErrFenced}, // somebody else has ended our transaction
	{kerr.OffsetOutOfRange, ErrOutOfRange},
	{kerr.UnknownTopicOrPartition, ErrUnknownTopic},
	{kerr.UnknownTopicID, ErrUnknownTopic},
	{kerr.MessageTooLarge, ErrTooLarge},
	{kerr.SaslAuthenticationFailed, ErrAuth},
	{kerr.TopicAuthorizationFailed, ErrAuth},
	{kerr.GroupAuthorizationFailed, ErrAuth},
	{kerr.ClusterAuthorizationFailed, ErrAuth},
	{kerr.TransactionalIDAuthorizationFailed, ErrAuth},
	{kgo.ErrClientClosed, ErrClosed},
}

// wrap names what was being done and marks err as one of ours where it is one.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	for _, m := range marks {
		if errors.Is(err, m.theirs) && !errors.Is(err, m.ours) {
			return fmt.Errorf("%s: %w: %w", what, m.ours, err)
		}
	}
	var loss *kgo.ErrDataLoss
	if errors.As(err, &loss) {
		return fmt.Errorf("%s: %w: %w", what, ErrOutOfRange, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// connectError makes one line out of whatever kept us from the brokers, with what to do about it.
func (c Config) connectError(err error) error {
	to := strings.Join(c.Brokers, ",")
	var netErr net.Error
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fmt.Errorf("connect to %s: %w: user %q was refused by %s: check user, password and mechanism", to, ErrAuth, c.SASL.User, c.SASL.Mechanism)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("connect to %s: %w", to, err)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout():
		return fmt.Errorf("connect to %s: %w: no answer within %s: check the address, TLS and SASL settings", to, ErrUnreachable, c.ConnectTimeout)
	case c.SASL.Mechanism != "" && errors.Is(err, io.EOF):
		return fmt.Errorf("connect to %s: %w: the broker hung up on user %q: check user, password, mechanism %s and TLS", to, ErrAuth, c.SASL.User, c.SASL.Mechanism)
	case c.TLS.Enabled || c.SASL.Mechanism != "":
		return fmt.Errorf("connect to %s: %w: %s: check the address, TLS and SASL settings", to, ErrUnreachable, oneLine(err))
	}
	return fmt.Errorf("connect to %s: %w: %s: start a broker there or give another address", to, ErrUnreachable, oneLine(err))
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// PartitionError is an error of one partition, after which that partition is not read any more.
type PartitionError struct {
	Topic     string
	Partition int32
	Err       error
}

// Error names the partition.
func (e *PartitionError) Error() string {
	return fmt.Sprintf("read %s partition %d: %v", e.Topic, e.Partition, e.Err)
}

// Unwrap gives the cause; ErrOutOfRange is in its chain when the position is not in the log any more.
func (e *PartitionError) Unwrap() error { return e.Err }
