package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stripeline/pipeline"
	"stripeline/pipeline/kafka"
)

// withSite runs a verb's work on the block journey's topics, which are made where they are missing.
func (a *app) withSite(ctx context.Context, shape pipeline.Shape, work func(context.Context, *pipeline.Site) error) error {
	return a.onSite(ctx, work, func(cluster *kafka.Cluster, registry pipeline.RegistryClient) (*pipeline.Site, error) {
		return pipeline.EnterSite(ctx, cluster, registry, shape)
	})
}

// visitSite runs a verb's work on a namespace that is there already.
func (a *app) visitSite(ctx context.Context, work func(context.Context, *pipeline.Site) error) error {
	return a.onSite(ctx, work, func(cluster *kafka.Cluster, registry pipeline.RegistryClient) (*pipeline.Site, error) {
		return pipeline.VisitSite(ctx, cluster, registry)
	})
}

type enter func(*kafka.Cluster, pipeline.RegistryClient) (*pipeline.Site, error)

func (a *app) onSite(ctx context.Context, work func(context.Context, *pipeline.Site) error, enter enter) error {
	return a.connected(ctx, func(cluster *kafka.Cluster, registry pipeline.RegistryClient) error {
		site, err := enter(cluster, registry)
		if err != nil {
			return err
		}
		return work(ctx, site)
	})
}

// connected runs a verb's work with brokers and registry.
func (a *app) connected(ctx context.Context, work func(*kafka.Cluster, pipeline.RegistryClient) error) error {
	a.logger = calm(a.logger)
	cluster, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer cluster.Close()
	registry, err := a.registry()
	if err != nil {
		return err
	}
	return work(cluster, registry)
}

// shapeFlags declares how internal topics are made where they are missing.
func shapeFlags(f *pflag.FlagSet) *pipeline.Shape {
	shape := pipeline.DefaultShape()
	f.Int32Var(&shape.Partitions, "partitions", shape.Partitions, "partitions of the internal topics, where they are made")
	f.Int16Var(&shape.Replication, "replication", shape.Replication, "their replicas (0: 3, or the number of brokers)")
	f.IntVar(&shape.MaxPacket, "max-packet", shape.MaxPacket, "max.message.bytes of the packets topic: 1024k cells need more than the default")
	return &shape
}

// suggest makes a shell complete a flag with some values.
func suggest(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic("cmd: internal error: " + err.Error())
	}
}

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30))
}
