package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/pipeline/flow"
	"stripeline/schemas"
)

// workerVerb runs the links of the write plan with targets of this machine.
func workerVerb(a *app) *cobra.Command {
	var o working
	cmd := &cobra.Command{
		Use: "worker --target DIR[,rack=R][,domain=D]...", Short: "Run the links of the write plan with targets of this machine", Args: cobra.NoArgs,
		Long: `Run store, seal and namespace as members of their consumer groups, with this machine's targets: directories that keep
shards. Start as many workers as you like; each needs as many targets of its own, in different failure domains, as the policies
in use have cells. A target without a domain is one of its own. /readyz answers 200 once the targets are announced.`,
		Example: examples("worker --target /data/1,rack=a --target /data/2,rack=b --brokers k1:9092 --registry http://sr:8081"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.targets) == 0 {
				return usagef("no --target given: name at least one directory")
			}
			return a.withSite(cmd.Context(), *o.shape, func(ctx context.Context, site *pipeline.Site) error {
				return a.work(ctx, site, o)
			})
		},
	}
	cmd.Flags().StringArrayVar(&o.targets, "target", nil, "directory that keeps shards, DIR[,rack=R][,domain=D]; may be given again")
	cmd.Flags().StringVar(&o.node, "node", "", "name of this machine (default: its host name)")
	cmd.Flags().StringVar(&o.http, "http", "127.0.0.1:7070", "address of /metrics, /readyz, /healthz and /status")
	o.shape = shapeFlags(cmd.Flags())
	return cmd
}

type working struct {
	targets    []string
	node, http string
	shape      *pipeline.Shape
}

func (a *app) work(ctx context.Context, site *pipeline.Site, o working) error {
	options := pipeline.WorkerOptions{Node: o.node, Observer: flow.NewObserver()}
	for _, text := range o.targets {
		directory, err := pipeline.ParseTarget(text)
		if err != nil {
			return usagef("%w", err)
		}
		options.Directories = append(options.Directories, directory)
	}
	if options.Node == "" {
		node, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("look up the name of this machine: %w: give it with --node", err)
		}
		options.Node = node
	}
	listener, err := net.Listen("tcp", o.http)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --http", err)
	}
	defer listener.Close()
	worker, err := site.OpenWorker(ctx, options)
	if err != nil {
		return err
	}
	if err := a.warnOfFew(worker.Domains()); err != nil {
		return errors.Join(err, worker.Close())
	}
	endpoint := &pipeline.Endpoint{Observer: options.Observer, Metrics: pipeline.NewMetrics(options.Observer), Ready: worker.Ready}
	return a.runWorker(ctx, running{worker, endpoint, listener})
}

// warnOfFew says which writes a worker with few targets makes wait: it places cells on its own targets alone.
func (a *app) warnOfFew(domains int) error {
	usual, err := schemas.ParsePolicy(schemas.DefaultPolicy)
	if err == nil && domains < usual.Quorum() {
		a.logger.Warn("few targets: blocks whose policy needs more wait while this worker has their partition", "domains", domains,
			"policy", usual.String(), "needs", usual.Quorum())
	}
	return err
}

type running struct {
	worker   *pipeline.Worker
	endpoint *pipeline.Endpoint
	listener net.Listener
}

func (a *app) runWorker(ctx context.Context, r running) error {
	targets := r.worker.Targets()
	facts := map[string]any{"http": "http://" + r.listener.Addr().String(), "targets": factsOfTargets(targets)}
	if err := a.output.emit(facts, func(w io.Writer) {
		for _, t := range targets {
			fmt.Fprintf(w, "target %s %s, rack %q, domain %s, %s free, %s\n", t.ID, t.Address, t.Rack, t.Domain, size(t.Free), t.State)
		}
		fmt.Fprintf(w, "http   http://%s/metrics /readyz /status\n", r.listener.Addr())
	}); err != nil {
		return err
	}
	go func() { _ = r.endpoint.Serve(ctx, r.listener) }()
	err := r.worker.Run(ctx)
	if closed := r.worker.Close(); err == nil {
		err = closed
	}
	if err == nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}
