package flow

import (
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector shows what an Observer knows as Prometheus metrics, read when they are scraped:
//
//	stripeline_link_records_total{link}             records polled
//	stripeline_link_bytes_total{link}               their bytes
//	stripeline_link_done_total{link}                records whose every effect is durable
//	stripeline_link_emitted_total{link}             records confirmed on other topics
//	stripeline_link_rejects_total{link}             records filed as rejects
//	stripeline_link_flushes_total{link}             flushes that made something durable
//	stripeline_link_commits_total{link}             commits of offsets
//	stripeline_link_transactions_total{link}        committed transactions
//	stripeline_link_retries_total{link}             pauses after a failure
//	stripeline_link_rejoins_total{link}             rejoins after fencing
//	stripeline_link_budget_used_bytes{link}         bytes between poll and done
//	stripeline_link_budget_limit_bytes{link}        the most of them
//	stripeline_link_position{link,partition}        offset up to which everything is done
//	stripeline_link_partition_state{link,partition,state}  1 for the state that it is in
type Collector struct{ o *Observer }

// NewCollector gives a collector, to be registered once.
func NewCollector(o *Observer) Collector { return Collector{o} }

// Describe sends nothing: which links there are is known only when they run.
func (Collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c Collector) Collect(to chan<- prometheus.Metric) {
	for _, l := range c.o.Links() {
		n := l.Counts
		for name, value := range map[string]int64{
			"records_total": n.Records, "bytes_total": n.Bytes, "done_total": n.Done, "emitted_total": n.Emitted,
			"rejects_total": n.Rejects, "flushes_total": n.Flushes, "commits_total": n.Commits,
			"transactions_total": n.Transactions, "retries_total": n.Retries, "rejoins_total": n.Rejoins,
		} {
			to <- metric(name, value, prometheus.Labels{"link": l.Name})
		}
		to <- metric("budget_used_bytes", n.BudgetUsed, prometheus.Labels{"link": l.Name})
		to <- metric("budget_limit_bytes", l.Budget, prometheus.Labels{"link": l.Name})
		for _, p := range l.Partitions {
			number := strconv.Itoa(int(p.Partition))
			to <- metric("position", p.Next, prometheus.Labels{"link": l.Name, "partition": number})
			to <- metric("partition_state", 1, prometheus.Labels{"link": l.Name, "partition": number, "state": p.State})
		}
	}
}

// metric gives a counter for a name that ends in _total and a gauge for any other.
func metric(name string, value int64, labels prometheus.Labels) prometheus.Metric {
	kind := prometheus.GaugeValue
	if strings.HasSuffix(name, "_total") {
		kind = prometheus.CounterValue
	}
	desc := prometheus.NewDesc("stripeline_link_"+name, "See flow.Collector.", nil, labels)
	return prometheus.MustNewConstMetric(desc, kind, float64(value))
}
