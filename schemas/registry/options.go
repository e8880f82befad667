package registry

import (
	"net/http"
	"time"

	"stripeline/schemas/registry/avrotext"
)

// Options are the settings of a registry. The zero value is a single instance with Confluent's defaults.
type Options struct {
	Leader        func() Leadership // who may write; nil: this instance, in term 0
	Forward       http.RoundTripper // passes a follower's writes on to the leader, one hop; nil: they are answered with 50003
	Compatibility string            // level where none is configured; "": BACKWARD
	ClusterID     string            // Kafka's cluster id, shown at /v1/metadata/id
	Version       string            // shown at /v1/metadata/version; "": "stripeline"
	WriteTimeout  time.Duration     // of one write, until it is read back; 0: 30 s
	Limits        Limits
	Users         []User        // none: everybody may do everything
	Metrics       http.Handler  // answers GET /metrics; nil: 404
	Observe       func(Request) // called once per answered request; nil: nobody is told
	Notice        func(string)  // told of records and failures that an operator should know of; nil: nobody is told
}

// Limits bound what one request may cost. A zero limit stands for its default.
type Limits struct {
	Body       int64           // bytes of a request body, 8 MiB
	Schema     int             // bytes of a schema and of the record it makes, 1,000,000: the broker's record limit
	Text       avrotext.Limits // nesting and named types of one Avro schema
	References int             // depth of references, 32
	Referenced int             // bytes of all that one schema references, directly or not, 4 MiB
	Parsed     int             // bytes of memory, about, that parsed schemas are kept in, 64 MiB
}

// Request describes an answered request: its route pattern, never its path, so that it can label a metric.
type Request struct {
	Route    string
	Method   string
	Status   int
	Duration time.Duration
}

func (o Options) orDefault() Options {
	if o.Leader == nil {
		o.Leader = func() Leadership { return Leadership{Self: true} }
	}
	if o.Compatibility == "" {
		o.Compatibility = "BACKWARD"
	}
	if o.Version == "" {
		o.Version = "stripeline"
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 30 * time.Second
	}
	if o.Observe == nil {
		o.Observe = func(Request) {}
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	o.Limits = o.Limits.orDefault()
	return o
}

func (l Limits) orDefault() Limits {
	if l.Body == 0 {
		l.Body = 8 << 20
	}
	if l.Schema == 0 {
		l.Schema = 1_000_000
	}
	if l.References == 0 {
		l.References = 32
	}
	if l.Referenced == 0 {
		l.Referenced = 4 << 20
	}
	if l.Parsed == 0 {
		l.Parsed = 64 << 20
	}
	return l
}
