package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// rejectsVerb shows records that were put aside.
func rejectsVerb(a *app) *cobra.Command {
	return group("rejects", "Show records that could not be processed, and send them through again", rejectsListVerb(a), rejectsShowVerb(a), rejectsStatsVerb(a),
		rejectsRedriveVerb(a), rejectsExportVerb(a))
}

func rejectsListVerb(a *app) *cobra.Command {
	r := &pipeline.Rejects{}
	cmd := &cobra.Command{
		Use: "ls TOPIC", Short: "List the rejects of a topic", Args: cobra.ExactArgs(1),
		Example: examples("rejects ls flights", "rejects ls flights --code type --column dep_delay -n 10", "rejects ls flights --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := table{header: []string{"place", "code", "file", "line", "column", "message"}}
			err := a.eachReject(cmd, r, args[0], func(x pipeline.Reject) error {
				if a.settings.JSON {
					return a.output.emitLater(x, nil)
				}
				t.add(fmt.Sprintf("%d:%d", x.Partition, x.Offset), x.Code, x.Facts["file"], x.Facts["line"], x.Facts["column"], x.Message)
				return nil
			})
			if err != nil || a.settings.JSON {
				return err
			}
			return a.output.table(t)
		},
	}
	declareRejects(cmd, r)
	return cmd
}

func declareRejects(cmd *cobra.Command, r *pipeline.Rejects) {
	cmd.Flags().StringVar(&r.Code, "code", "", "only rejects with this code")
	cmd.Flags().StringVar(&r.Column, "column", "", "only rejects of this column")
	cmd.Flags().StringVar(&r.File, "file", "", "only rejects of files whose name ends so")
	cmd.Flags().Int64VarP(&r.Limit, "limit", "n", 0, "at most so many (0: all)")
}

func (a *app) eachReject(cmd *cobra.Command, r *pipeline.Rejects, topic string, see func(pipeline.Reject) error) error {
	cluster, err := a.connect(cmd.Context())
	if err != nil {
		return err
	}
	defer cluster.Close()
	r.Cluster, r.Topic = cluster, topic
	return a.missingTopic(r.List(cmd.Context(), see), topic)
}

func rejectsShowVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show TOPIC PARTITION:OFFSET", Short: "Show one reject: its reason, its facts and its original bytes", Args: cobra.ExactArgs(2),
		Example: examples("rejects show flights 0:17", "rejects show flights 0:17 --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, offset, err := pipeline.ParsePlace(args[1])
			if err != nil {
				return usagef("%w", err)
			}
			cluster, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer cluster.Close()
			r := &pipeline.Rejects{Cluster: cluster, Topic: args[0]}
			x, err := r.Get(cmd.Context(), partition, offset)
			if err != nil {
				return a.missingTopic(err, args[0])
			}
			return a.output.emit(x, func(w io.Writer) {
				for _, name := range slices.Sorted(maps.Keys(x.Facts)) {
					fmt.Fprintf(w, "%s: %s\n", name, x.Facts[name])
				}
				fmt.Fprintf(w, "\n%s\n", x.Value)
			})
		},
	}
}

func rejectsStatsVerb(a *app) *cobra.Command {
	r := &pipeline.Rejects{}
	cmd := &cobra.Command{
		Use: "stats TOPIC", Short: "Count the rejects of a topic by code, column and file", Args: cobra.ExactArgs(1),
		Example: examples("rejects stats flights"),
		RunE: func(cmd *cobra.Command, args []string) error {
			counts := map[[3]string]int{}
			err := a.eachReject(cmd, r, args[0], func(x pipeline.Reject) error {
				counts[[3]string{x.Code, x.Facts["column"], x.Facts["file"]}]++
				return nil
			})
			if err != nil {
				return err
			}
			t := table{header: []string{"code", "column", "file", "rejects"}}
			keys := slices.SortedFunc(maps.Keys(counts), func(x, y [3]string) int { return slices.Compare(x[:], y[:]) })
			for _, k := range keys {
				t.add(k[0], k[1], k[2], counts[k])
			}
			return a.output.table(t)
		},
	}
	declareRejects(cmd, r)
	return cmd
}
