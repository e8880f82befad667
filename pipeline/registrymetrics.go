package pipeline

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"stripeline/schemas/registry"
)

// registryMetrics show what a registry answers and holds.
//
//	stripeline_registry_request_seconds{method,route,status}  histogram
//	stripeline_registry_subjects, _versions, _ids             what is live or soft-deleted
//	stripeline_registry_position                              reached in the log
//	stripeline_registry_skipped{why}                          records left alone since the start
//	stripeline_registry_leader                                1 while this instance leads
type registryMetrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newRegistryMetrics(to *prometheus.Registry, leader func() registry.Leadership) *registryMetrics {
	m := &registryMetrics{registry: to, requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "stripeline_registry_request_seconds", Help: "Time to answer a request.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
	}, []string{"method", "route", "status"})}
	to.MustRegister(m.requests, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stripeline_registry_leader", Help: "1 while this instance leads.",
	}, func() float64 {
		if leader().Self {
			return 1
		}
		return 0
	}))
	return m
}

func (m *registryMetrics) page() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *registryMetrics) observe(r registry.Request) {
	m.requests.WithLabelValues(r.Method, r.Route, strconv.Itoa(r.Status)).Observe(r.Duration.Seconds())
}

// show adds what a registry holds. Without metrics it does nothing.
func (m *registryMetrics) show(stats func() registry.Stats) {
	if m == nil {
		return
	}
	gauge := func(name, help string, labels prometheus.Labels, of func(registry.Stats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stripeline_registry_" + name, Help: help, ConstLabels: labels,
		}, func() float64 { return of(stats()) }))
	}
	gauge("subjects", "Subjects, soft-deleted ones too.", nil, func(s registry.Stats) float64 { return float64(s.Subjects) })
	gauge("versions", "Versions, soft-deleted ones too.", nil, func(s registry.Stats) float64 { return float64(s.Versions) })
	gauge("ids", "Schema ids in use.", nil, func(s registry.Stats) float64 { return float64(s.IDs) })
	gauge("position", "Position reached in the log.", nil, func(s registry.Stats) float64 { return float64(s.Position) })
	const skipped = "Records of the log left alone since the start."
	gauge("skipped", skipped, prometheus.Labels{"why": "unknown key type"}, func(s registry.Stats) float64 { return float64(s.Unknown) })
	gauge("skipped", skipped, prometheus.Labels{"why": "cannot be read"}, func(s registry.Stats) float64 { return float64(s.Broken) })
}
