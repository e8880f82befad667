package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"stripeline/consumers/blockstore"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/pipeline/kafka/embedded"
	"stripeline/schemas"
	"stripeline/schemas/client"
	"stripeline/schemas/registry"
)

// devSegment is the size of one file of the embedded broker's log: what is trimmed leaves the disk file by file, and the
// broker's memory after kill -9 is the size of its log.
const devSegment = 8 << 20

// devSession is how soon a member of a group that was killed is given up.
const devSession = 6 * time.Second

// DevOptions say where a whole stack in one process lives.
type DevOptions struct {
	Dir          string // everything is below it
	BrokerAddr   string // host:port; port 0 takes a free one
	RegistryAddr string
	HTTPAddr     string // metrics and readiness
	Namespace    string
	Targets      int           // number of target directories, each a failure domain of its own
	Durability   string        // DurabilityProcess or DurabilityPower
	AcceptLoss   bool          // start although the log has lost its end
	MaxPacket    int           // bytes: max.message.bytes of the packets topic, where it is made; 0 = DefaultShape's
	LogMax       int64         // bytes of packets that are not yet stored: above it writers wait; 0 = no bound
	Kafka        *kafka.Config // a cluster to use instead of an embedded broker; nil = embedded
	Logger       *slog.Logger
}

// What the embedded broker's log survives.
const (
	DurabilityProcess = "process" // kill -9: one broker, page cache
	DurabilityPower   = "power"   // power loss too: every write is fsynced
)

// Dev is a whole stack in one process: broker, schema registry, targets and all links of the write plan.
type Dev struct {
	Site     *Site
	Worker   *Worker
	Observer *flow.Observer

	options  DevOptions
	broker   *embedded.Broker // nil when another cluster is used
	brokers  []string
	cluster  *kafka.Cluster
	registry *Registry
	schemas  net.Listener // of the registry
	http     net.Listener
	endpoint *Endpoint
	stops    []func() error // what was started, in order
}

// StartDev starts the stack. The caller runs and closes it.
func StartDev(ctx context.Context, o DevOptions) (*Dev, error) {
	d := &Dev{options: o, Observer: flow.NewObserver()}
	for _, step := range []func(context.Context) error{d.startBroker, d.startRegistry, d.startWorker, d.startHTTP} {
		if err := step(ctx); err != nil {
			_ = d.Close()
			return nil, err
		}
	}
	return d, nil
}

func (d *Dev) startBroker(ctx context.Context) error {
	d.endpoint = &Endpoint{Observer: d.Observer, Metrics: NewMetrics(d.Observer)}
	config := kafka.Config{ClientID: "stripeline-dev", Heartbeat: 300 * time.Millisecond, Session: devSession}
	if d.options.Kafka != nil {
		config = *d.options.Kafka
	} else {
		var err error
		d.broker, err = embedded.Start(ctx, embedded.Options{
			Dir: filepath.Join(d.options.Dir, "broker"), Addr: d.options.BrokerAddr, SegmentBytes: devSegment,
			SyncWrites: d.options.Durability == DurabilityPower, AcceptLoss: d.options.AcceptLoss, Logger: d.options.Logger,
			LogMax: d.options.LogMax, Capped: []string{Qualify(cmp.Or(d.options.Namespace, kafka.DefaultNamespace), schemas.TopicPackets)},
		})
		if err != nil {
			return err
		}
		d.stops = append(d.stops, d.broker.Close)
		config.Brokers = []string{d.broker.Addr()}
	}
	config.Namespace, config.Logger, config.Registerer = d.options.Namespace, d.options.Logger, d.endpoint.Metrics
	var err error
	if d.cluster, err = kafka.Connect(ctx, config); err != nil {
		return err
	}
	d.brokers = config.Brokers
	d.stops = append(d.stops, func() error { d.cluster.Close(); return nil })
	return nil
}

func (d *Dev) startRegistry(ctx context.Context) error {
	var err error
	if d.schemas, err = listen(ctx, d.options.RegistryAddr, "the registry", "--registry-listen"); err != nil {
		return err
	}
	d.registry, err = OpenRegistry(ctx, d.cluster, registry.Options{})
	if err != nil {
		return errors.Join(err, d.schemas.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- d.registry.Serve(serving, d.schemas) }()
	d.stops = append(d.stops, func() error {
		stop()
		return errors.Join(<-served, d.registry.Close())
	})
	return nil
}

// listen opens a port, or says which flag chooses another.
func listen(ctx context.Context, address, what, flag string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w: choose another address with %s", what, err, flag)
	}
	return listener, nil
}

func (d *Dev) startWorker(ctx context.Context) error {
	registry, err := d.Registry()
	if err != nil {
		return err
	}
	shape := DefaultShape()
	shape.MaxPacket = cmp.Or(d.options.MaxPacket, shape.MaxPacket)
	if d.Site, err = EnterSite(ctx, d.cluster, registry, shape); err != nil {
		return err
	}
	node, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("look up the name of this machine: %w", err)
	}
	var directories []blockstore.Directory
	for i := range d.options.Targets {
		path := d.TargetDir(i)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("make target: %w", err)
		}
		directories = append(directories, blockstore.Directory{Path: path, Rack: "dev"})
	}
	d.Worker, err = d.Site.OpenWorker(ctx, WorkerOptions{Node: node, Directories: directories, Observer: d.Observer})
	if err != nil {
		return err
	}
	d.stops = append(d.stops, d.Worker.Close)
	return nil
}

func (d *Dev) startHTTP(ctx context.Context) error {
	var err error
	d.http, err = listen(ctx, d.options.HTTPAddr, "metrics", "--http")
	d.endpoint.Ready = d.Worker.Ready
	return err
}

// Run works until ctx ends, then drains: links finish what they started and commit.
func (d *Dev) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.Worker.Run(ctx) })
	group.Go(func() error { return d.endpoint.Serve(ctx, d.http) })
	return group.Wait()
}

// TargetDir gives the directory of a target, by number from 0.
func (d *Dev) TargetDir(i int) string {
	return filepath.Join(d.options.Dir, "targets", fmt.Sprintf("%02d", i+1))
}

// BrokerAddr gives host:port of the broker, or of the first one that was given.
func (d *Dev) BrokerAddr() string { return d.brokers[0] }

// RegistryURL gives the address of the schema registry.
func (d *Dev) RegistryURL() string { return "http://" + d.schemas.Addr().String() }

// Registry makes a client of the schema registry.
func (d *Dev) Registry() (RegistryClient, error) {
	c, err := client.Open(client.Config{URLs: []string{d.RegistryURL()}})
	return RegistryClient{Client: c}, err
}

// HTTPAddr gives host:port of metrics and readiness.
func (d *Dev) HTTPAddr() string { return d.http.Addr().String() }

// Close stops what was started, the last first, the broker last of all. Call it after Run has returned.
func (d *Dev) Close() error {
	var all []error
	for i := len(d.stops) - 1; i >= 0; i-- {
		all = append(all, d.stops[i]())
	}
	d.stops = nil
	return errors.Join(all...)
}
