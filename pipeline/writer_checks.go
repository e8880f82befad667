package pipeline

import (
	"context"
	"fmt"

	"stripeline/processors/verify"
	"stripeline/schemas"
)

// checkMetadata refuses what verify would: a rejected packet is never stored.
func checkMetadata(o PutOptions) error {
	size := len(o.Path)
	for key, value := range o.Metadata {
		size += len(key) + len(value) + 6 // as verify counts
	}
	if size > verify.MaxMetadata {
		return fmt.Errorf("%w: path and metadata have %d bytes, at most %d fit: put the rest into the file", ErrMetadata, size, verify.MaxMetadata)
	}
	return nil
}

// checkTargets refuses what the registered targets could never store: fewer domains than the policy's quorum.
func (s *Site) checkTargets(ctx context.Context, policy schemas.Policy) error {
	targets, err := s.targets(ctx)
	if err != nil {
		return err
	}
	domains := make(map[string]bool)
	for _, t := range targets {
		if t.State != schemas.TargetOut {
			domains[t.Domain] = true
		}
	}
	if len(domains) < policy.Quorum() {
		return fmt.Errorf("%w: %s needs %d in different failure domains, and at least %d; %d are registered: "+
			"start workers with more --target, or choose a smaller policy", ErrTooFew, policy, policy.N(), policy.Quorum(), len(domains))
	}
	return nil
}

// checkLimit compares a whole packet with the topic's limit and gives the limit.
func (s *Site) checkLimit(ctx context.Context, policy schemas.Policy) (int32, error) {
	topic := s.Cluster.Name(schemas.TopicPackets)
	info, err := s.Cluster.Identify(ctx, topic)
	if err != nil {
		return 0, err
	}
	if need := policy.Stripe() + policy.Stripe()/1024 + packetOverhead; need > info.MaxMessageBytes {
		return 0, fmt.Errorf("%w: %s needs max.message.bytes of %d on %s, which has %d: raise it or choose smaller cells",
			ErrPacketLimit, policy, need, topic, info.MaxMessageBytes)
	}
	return int32(info.MaxMessageBytes), nil
}
