package pipeline

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"stripeline/pipeline/flow"
)

// linkMetrics shows what an observer knows of the links, under names that follow from the plan's.
type linkMetrics struct {
	observer *flow.Observer
	counts   []countMetric
	budget   *prometheus.Desc
	used     *prometheus.Desc
	state    *prometheus.Desc
}

type countMetric struct {
	desc *prometheus.Desc
	of   func(flow.Counts) int64
}

func newLinkMetrics(observer *flow.Observer) *linkMetrics {
	count := func(name, help string, of func(flow.Counts) int64) countMetric {
		return countMetric{prometheus.NewDesc("stripeline_link_"+name+"_total", help, []string{"link"}, nil), of}
	}
	return &linkMetrics{
		observer: observer,
		counts: []countMetric{
			count("records", "Records polled.", func(c flow.Counts) int64 { return c.Records }),
			count("bytes", "Bytes polled.", func(c flow.Counts) int64 { return c.Bytes }),
			count("done", "Records of which every effect is durable.", func(c flow.Counts) int64 { return c.Done }),
			count("emitted", "Records confirmed on other topics.", func(c flow.Counts) int64 { return c.Emitted }),
			count("rejects", "Records filed as rejects.", func(c flow.Counts) int64 { return c.Rejects }),
			count("flushes", "Flushes that made everything durable.", func(c flow.Counts) int64 { return c.Flushes }),
			count("transactions", "Transactions committed.", func(c flow.Counts) int64 { return c.Transactions }),
			count("retries", "Pauses after a failure.", func(c flow.Counts) int64 { return c.Retries }),
			count("truncations", "Partitions of the input that were cut behind their readers.", func(c flow.Counts) int64 { return c.Truncations }),
		},
		budget: prometheus.NewDesc("stripeline_link_budget_bytes", "The link's byte budget.", []string{"link"}, nil),
		used:   prometheus.NewDesc("stripeline_link_used_bytes", "Bytes between poll and done.", []string{"link"}, nil),
		state:  prometheus.NewDesc("stripeline_link_partition_state", "1 for the state that the partition is in.", []string{"link", "partition", "state"}, nil),
	}
}

// Describe is part of prometheus.Collector.
func (m *linkMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.counts {
		out <- c.desc
	}
	out <- m.budget
	out <- m.used
	out <- m.state
}

// Collect is part of prometheus.Collector.
func (m *linkMetrics) Collect(out chan<- prometheus.Metric) {
	for _, l := range m.observer.Links() {
		for _, c := range m.counts {
			out <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.of(l.Counts)), l.Name)
		}
		out <- prometheus.MustNewConstMetric(m.budget, prometheus.GaugeValue, float64(l.Budget), l.Name)
		out <- prometheus.MustNewConstMetric(m.used, prometheus.GaugeValue, float64(l.Counts.BudgetUsed), l.Name)
		for _, p := range l.Partitions {
			out <- prometheus.MustNewConstMetric(m.state, prometheus.GaugeValue, 1, l.Name, strconv.Itoa(int(p.Partition)), p.State)
		}
	}
}
