package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"stripeline/pipeline/flow"
)

// Endpoint answers HTTP about a running process: /metrics for Prometheus, /healthz while it lives, /readyz once ready
// gives nil (503 and the reason before), /status with the links as JSON.
type Endpoint struct {
	Observer *flow.Observer
	Metrics  *prometheus.Registry
	Ready    func() error
}

// NewMetrics makes a registry that shows the process, Go's runtime and the observer's links.
func NewMetrics(observer *flow.Observer) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newLinkMetrics(observer))
	return r
}

// Serve answers on the listener until ctx ends.
func (e *Endpoint) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: e.routes(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (e *Endpoint) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(e.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("alive\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := e.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(e.Observer.Links())
	})
	return mux
}
