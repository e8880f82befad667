package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/pipeline/kafka"
)

// topicVerb creates, shows and removes topics.
func topicVerb(a *app) *cobra.Command {
	return group("topic", "Create, list, describe and remove topics",
		topicCreateVerb(a), topicListVerb(a), topicDescribeVerb(a), topicRemoveVerb(a), topicPlanVerb(a))
}

func topicCreateVerb(a *app) *cobra.Command {
	var t kafka.Topic
	var configs []string
	var ifMissing bool
	cmd := &cobra.Command{
		Use: "create TOPIC...", Short: "Create topics", Args: cobra.MinimumNArgs(1),
		Long: `Create topics. Without --replication they have 3 replicas, or as many as there are brokers; with 3 replicas
min.insync.replicas is 2 unless --set says otherwise.`,
		Example: examples("topic create flights --partitions 6", "topic create carriers --set cleanup.policy=compact"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.Configs = map[string]string{}
			for _, c := range configs {
				key, value, ok := strings.Cut(c, "=")
				if !ok {
					return usagef("--set is %q: write it as name=value", c)
				}
				t.Configs[key] = value
			}
			return a.withCluster(cmd.Context(), func(ctx context.Context, cluster *kafka.Cluster) error {
				return a.createTopics(ctx, cluster, creation{args, t, ifMissing})
			})
		},
	}
	cmd.Flags().Int32VarP(&t.Partitions, "partitions", "p", 6, "number of partitions")
	cmd.Flags().Int16VarP(&t.Replication, "replication", "r", 0, "number of replicas (0: 3, or the number of brokers)")
	cmd.Flags().StringArrayVar(&configs, "set", nil, "topic config as name=value, may be given again")
	cmd.Flags().BoolVar(&ifMissing, "if-missing", false, "a topic that exists is no error")
	return cmd
}

type creation struct {
	names     []string
	like      kafka.Topic
	ifMissing bool
}

func (a *app) createTopics(ctx context.Context, cluster *kafka.Cluster, c creation) error {
	for _, name := range c.names {
		t := c.like
		t.Name = name
		err := cluster.Create(ctx, t)
		switch {
		case kafka.IsExists(err) && c.ifMissing:
			continue
		case kafka.IsExists(err):
			return failf("topic %s exists: choose another name, or say --if-missing", name)
		case err != nil:
			return err
		}
		if err := a.output.emit(map[string]any{"topic": name, "created": true}, func(w io.Writer) { fmt.Fprintf(w, "created %s\n", name) }); err != nil {
			return err
		}
	}
	return nil
}

func topicListVerb(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "ls [PREFIX]", Short: "List topics", Args: cobra.MaximumNArgs(1),
		Example: examples("topic ls", "topic ls flights --json", "topic ls --all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			prefix := strings.Join(args, "")
			return a.withCluster(cmd.Context(), func(ctx context.Context, cluster *kafka.Cluster) error {
				names, err := cluster.Topics(ctx)
				if err != nil {
					return err
				}
				t := table{header: []string{"topic"}}
				for _, name := range names {
					internal := strings.HasPrefix(name, cluster.Name("")) || strings.HasPrefix(name, "_")
					if strings.HasPrefix(name, prefix) && (all || !internal || prefix != "") {
						t.add(name)
					}
				}
				return a.output.table(t)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "internal topics too")
	return cmd
}

func topicDescribeVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "describe TOPIC", Short: "Show partitions, offsets and configs of a topic", Args: cobra.ExactArgs(1),
		Example: examples("topic describe flights", "topic describe flights --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withCluster(cmd.Context(), func(ctx context.Context, cluster *kafka.Cluster) error {
				info, states, err := cluster.Describe(ctx, args[0])
				if err != nil {
					return a.missingTopic(err, args[0])
				}
				if a.settings.JSON {
					return a.output.emit(map[string]any{"topic": info.Name, "replication": info.Replication, "configs": info.Configs, "partitions": states}, nil)
				}
				return a.printTopic(info, states)
			})
		},
	}
}

func (a *app) printTopic(info kafka.TopicInfo, states []kafka.PartitionState) error {
	a.output.line("%s: %d partitions, %d replicas", info.Name, info.Partitions, info.Replication)
	for _, key := range []string{kafka.CleanupPolicy, kafka.RetentionMS, kafka.MaxMessageBytes, kafka.MinISR} {
		if value := info.Configs[key]; value != "" {
			a.output.line("  %s=%s", key, value)
		}
	}
	t := table{header: []string{"partition", "leader", "replicas", "in-sync", "start", "end"}}
	for _, s := range states {
		t.add(s.Partition, s.Leader, s.Replicas, s.ISR, s.Start, s.End)
	}
	return a.output.table(t)
}

func topicRemoveVerb(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "rm TOPIC...", Short: "Remove topics and everything in them", Args: cobra.MinimumNArgs(1),
		Example: examples("topic rm flights --yes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return usagef("topic rm deletes %s and all its records: say --yes", strings.Join(args, ", "))
			}
			return a.withCluster(cmd.Context(), func(ctx context.Context, cluster *kafka.Cluster) error {
				for _, name := range args {
					if err := cluster.Delete(ctx, name); err != nil {
						return a.missingTopic(err, name)
					}
					if err := a.output.emit(map[string]any{"topic": name, "removed": true}, func(w io.Writer) { fmt.Fprintf(w, "removed %s\n", name) }); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it")
	return cmd
}

func topicPlanVerb(a *app) *cobra.Command {
	shape := pipeline.Shape{MaxPacket: 8 << 20}
	var principal string
	cmd := &cobra.Command{
		Use: "plan [ROW-TOPIC...]", Short: "Print what an administrator must run: topics and rights", Args: cobra.ArbitraryArgs,
		Long:    "Print the commands that create the internal topics, and those of the row topics named, and give the rights that Stripeline needs.",
		Example: examples("topic plan flights --principal User:etl --replication 3"),
		RunE: func(_ *cobra.Command, args []string) error {
			plan := pipeline.PlanTopics(a.settings.Namespace, shape, args...)
			return a.output.emit(plan, func(w io.Writer) {
				for _, line := range plan.Commands(strings.Join(a.settings.Brokers, ","), principal) {
					fmt.Fprintln(w, line)
				}
			})
		},
	}
	cmd.Flags().Int32VarP(&shape.Partitions, "partitions", "p", 6, "number of partitions")
	cmd.Flags().Int16VarP(&shape.Replication, "replication", "r", 3, "number of replicas")
	cmd.Flags().StringVar(&principal, "principal", "User:stripeline", "who gets the rights")
	return cmd
}
