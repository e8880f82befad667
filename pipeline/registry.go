package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

// Registry is a schema registry whose state is a topic of a cluster.
type Registry struct {
	log      *schemaLog
	registry *registry.Registry
}

// Instance is one of several registries on a topic.
type Instance struct {
	registry.Options
	Topic   string               // SchemasTopic when empty
	Address string               // URL at which the other instances reach this one
	Metrics *prometheus.Registry // shown at /metrics; nil: none
}

// OpenRegistry opens a registry that has the topic _schemas for itself: it fences one of the same namespace that wrote to it before, and reads it
// to its end. The topic is made where it is missing; one with another cleanup policy or more than one partition is refused with kafka.ErrWrongTopic.
func OpenRegistry(ctx context.Context, cluster *kafka.Cluster, options registry.Options) (*Registry, error) {
	if err := ensureSchemasTopic(ctx, cluster, SchemasTopic); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	log := newSchemaLog(cluster, SchemasTopic)
	if err := log.open(ctx); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	return openRegistry(ctx, log, options)
}

// JoinRegistry opens a registry beside others of the same namespace and topic, of which one at a time leads: the owner of the topic's partition
// in the consumer group <namespace>.registry. It returns when the topic has been read to its end; the election goes on beside it.
func JoinRegistry(ctx context.Context, cluster *kafka.Cluster, in Instance) (*Registry, error) {
	if in.Topic == "" {
		in.Topic = SchemasTopic
	}
	if err := ensureSchemasTopic(ctx, cluster, in.Topic); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	log := newSchemaLog(cluster, in.Topic)
	seat := newSeat(log, in.Address)
	in.Leader = seat.leadership
	var metrics *registryMetrics
	if in.Metrics != nil {
		metrics = newRegistryMetrics(in.Metrics, seat.leadership)
		in.Options.Metrics, in.Observe = metrics.page(), metrics.observe
	}
	r, err := openRegistry(ctx, log, in.Options)
	if err != nil {
		return nil, err
	}
	metrics.show(r.registry.Stats)
	seat.start(ctx)
	return r, nil
}

func openRegistry(ctx context.Context, log *schemaLog, options registry.Options) (*Registry, error) {
	if options.Notice == nil {
		options.Notice = func(text string) { log.cluster.Logger().Warn("registry: " + text) }
	}
	if options.ClusterID == "" {
		id, err := log.cluster.ID(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open registry: %w", err), log.close())
		}
		options.ClusterID = id
	}
	r, err := registry.Open(ctx, log, options)
	if err != nil {
		return nil, errors.Join(err, log.close())
	}
	return &Registry{log: log, registry: r}, nil
}

// close lets go of the lead, if this instance has it.
func (l *schemaLog) close() error {
	if l.seat != nil {
		l.seat.close()
	}
	l.end()
	return nil
}

// Close ends the registry; call it after Serve has returned.
func (r *Registry) Close() error { return errors.Join(r.log.close(), r.registry.Close()) }

// Healthy returns nil while the log is followed, else why not.
func (r *Registry) Healthy() error { return r.registry.Healthy() }

// ServeHTTP answers the REST API.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.registry.ServeHTTP(w, req) }

// registryDrain bounds how long requests under way may take when the registry is told to stop.
const registryDrain = 5 * time.Second

// Serve answers on the listener until ctx ends, then lets the requests under way finish.
func (r *Registry) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), registryDrain)
		defer cancel()
		if server.Shutdown(draining) != nil {
			server.Close()
		}
	})
	err := server.Serve(listener)
	if stop() {
		close(drained)
	}
	<-drained
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve registry: %w", err)
}
