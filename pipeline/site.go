package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
	"stripeline/schemas/client"
)

// Site is a namespace on a cluster: the topics of the block journey, made and checked, and their codecs.
type Site struct {
	Cluster *kafka.Cluster
	Codecs  *schemas.Codecs
	Log     *slog.Logger

	shape Shape
}

// ErrNotYet is wrapped by what is asked for and not there yet.
var ErrNotYet = errors.New("not yet")

// DefaultShape is how internal topics are made unless a person says otherwise.
func DefaultShape() Shape { return Shape{Partitions: 6, MaxPacket: 1 << 20} }

// EnterSite makes what is missing of the namespace's topics, checks the rest and registers the schemas. The error of a
// topic that is not as it must be wraps kafka.ErrWrongTopic.
func EnterSite(ctx context.Context, cluster *kafka.Cluster, registry RegistryClient, shape Shape) (*Site, error) {
	if err := cluster.Ensure(ctx, InternalTopics(cluster.Namespace(), shape)...); err != nil {
		return nil, err
	}
	ids := make(map[string]uint32)
	for _, topic := range schemas.SchemaTopics() {
		subject := cluster.Name(topic) + "-value"
		id, err := registry.Register(ctx, subject, client.Schema{Text: schemas.SchemaText(topic)})
		if err != nil {
			return nil, fmt.Errorf("register schema of %s: %w", subject, err)
		}
		ids[topic] = uint32(id)
	}
	codecs := schemas.NewCodecs(func(topic string) uint32 { return ids[topic] })
	return &Site{Cluster: cluster, Codecs: codecs, Log: cluster.Logger(), shape: shape}, nil
}

// ErrNoNamespace is wrapped when a namespace that is only looked at is not there.
var ErrNoNamespace = errors.New("no such namespace")

// VisitSite enters a namespace to look at what it holds: one that is not there is not made, but ErrNoNamespace.
func VisitSite(ctx context.Context, cluster *kafka.Cluster, registry RegistryClient) (*Site, error) {
	_, _, err := cluster.Identity(ctx, cluster.Name(schemas.TopicFiles))
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil, fmt.Errorf("%w on these brokers: %s: check --namespace and --brokers, or put a file first", ErrNoNamespace, cluster.Namespace())
	}
	if err != nil {
		return nil, err
	}
	return EnterSite(ctx, cluster, registry, DefaultShape())
}

// targets reads what is known of the storage targets now.
func (s *Site) targets(ctx context.Context) (map[schemas.TargetID]schemas.Target, error) {
	topic := s.Cluster.Name(schemas.TopicTargets)
	from, err := fromStart(ctx, s.Cluster, topic)
	if err != nil {
		return nil, fmt.Errorf("read targets: %w", err)
	}
	var mu sync.Mutex
	all := make(map[schemas.TargetID]schemas.Target)
	v, err := openView(s.Cluster, topic, from, func(r *kafka.Record) error {
		t, err := s.Codecs.Targets.Decode(r.Value)
		if err != nil {
			s.Log.Warn("unreadable target record", "partition", r.Partition, "offset", r.Offset, "error", err)
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		all[t.ID] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return all, v.CatchUp(ctx)
}
