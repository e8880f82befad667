package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// devVerb runs a whole stack in one process.
func devVerb(a *app) *cobra.Command {
	o := pipeline.DevOptions{}
	var sync bool
	var logMax int64
	cmd := &cobra.Command{
		Use: "dev", Short: "Run broker, registry, targets and all links in one process", Args: cobra.NoArgs,
		Long: `Run a Kafka broker on disk, a schema registry, storage targets and all links of the write plan in one process. Ctrl-C
drains. After kill -9 nothing that was acked is lost; after a power loss what only the log held may be, unless --sync-writes
was given: the broker is one, and its log is in the page cache.`,
		Example: examples("dev", "dev --data /var/lib/stripeline --targets 9"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Namespace, o.Logger = a.settings.Namespace, a.logger
			o.Durability, o.LogMax = pipeline.DurabilityProcess, logMax<<20
			if sync {
				o.Durability = pipeline.DurabilityPower
			}
			if o.Targets < 1 || o.Targets > 255 {
				return usagef("--targets is %d: use 1 to 255", o.Targets)
			}
			return a.dev(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "data", "stripeline-data", "directory that keeps everything")
	f.StringVar(&o.BrokerAddr, "listen", "127.0.0.1:9092", "address of the broker")
	f.StringVar(&o.RegistryAddr, "registry-listen", "127.0.0.1:8081", "address of the schema registry")
	f.StringVar(&o.HTTPAddr, "http", "127.0.0.1:7070", "address of /metrics, /readyz, /healthz and /status")
	f.IntVar(&o.Targets, "targets", 9, "number of target directories, each a failure domain of its own")
	f.Int64Var(&logMax, "log-max", 256, "MiB of packets that are not yet stored, above which writers wait: the broker's memory after kill -9 (0: no bound)")
	f.IntVar(&o.MaxPacket, "max-packet", pipeline.DefaultShape().MaxPacket, "max.message.bytes of the packets topic, where it is made: 1024k cells need more")
	f.BoolVar(&sync, "sync-writes", false, "fsync every write of the broker before it is acked")
	f.BoolVar(&o.AcceptLoss, "accept-loss", false, "start although a power loss cut the broker's log")
	return cmd
}

func (a *app) dev(ctx context.Context, o pipeline.DevOptions) error {
	d, err := pipeline.StartDev(ctx, o)
	if err != nil {
		return err
	}
	if err := a.showDev(d, o); err != nil {
		return err
	}
	err = d.Run(ctx)
	if closed := d.Close(); err == nil {
		err = closed
	}
	if err == nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

func (a *app) showDev(d *pipeline.Dev, o pipeline.DevOptions) error {
	survives := "kill -9, not power loss (1 broker, page cache)"
	if o.Durability == pipeline.DurabilityPower {
		survives = "kill -9 and power loss (every write is fsynced)"
	}
	where := map[string]any{"broker": d.BrokerAddr(), "registry": d.RegistryURL(), "http": "http://" + d.HTTPAddr(),
		"data": o.Dir, "targets": o.Targets, "logged_survives": survives}
	return a.output.emit(where, func(w io.Writer) {
		fmt.Fprintf(w, "broker    %s\nregistry  %s\nhttp      http://%s/metrics /readyz /status\ntargets   %d in %s/targets, each a failure domain of its own\nlogged    survives %s\nCtrl-C drains and stops.\n",
			d.BrokerAddr(), d.RegistryURL(), d.HTTPAddr(), o.Targets, o.Dir, survives)
	})
}
