package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

// Registry is a schema registry whose state is the topic _schemas of a cluster.
type Registry struct {
	log      *schemaLog
	registry *registry.Registry
}

// OpenRegistry makes or checks the topic, fences a registry of the same namespace that wrote to it before, and reads it to its end. A topic with
// another cleanup policy or more than one partition is refused with kafka.ErrWrongTopic.
func OpenRegistry(ctx context.Context, cluster *kafka.Cluster, options registry.Options) (*Registry, error) {
	if err := ensureSchemasTopic(ctx, cluster); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	log := newSchemaLog(cluster)
	if err := log.open(ctx); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	if options.Notice == nil {
		options.Notice = func(text string) { cluster.Logger().Warn("registry: " + text) }
	}
	r, err := registry.Open(ctx, log, options)
	if err != nil {
		log.close()
		return nil, err
	}
	return &Registry{log: log, registry: r}, nil
}

// Close ends the registry; call it after Serve has returned.
func (r *Registry) Close() error {
	err := r.registry.Close()
	r.log.close()
	return err
}

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
