package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// benchVerb measures whole journeys against bare hops through the same broker.
func benchVerb(a *app) *cobra.Command {
	b := pipeline.Bench{}
	var mib int64
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure put, get and produce csv against bare hops through the same broker", Args: cobra.NoArgs,
		Long: `Start a stack in a temporary directory and measure, round by round: a raw hop (produce and consume of the same bytes),
put with fsync before ack, get, get with 3 of 9 targets gone, CSV rows to Avro on a topic, and a bare loop that sends the same
encoded records. The ratios are of the same round; absolute figures are this machine's.`,
		Example: examples("bench", "bench --mib 1024 --rounds 5 --json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.Bytes, b.Logger = mib<<20, a.logger
			b.Say = func(f pipeline.BenchFigure) {
				_ = a.output.emit(f, func(w io.Writer) {
					fmt.Fprintf(w, "round %d  %-14s %10.0f %s", f.Round+1, f.Name, f.Rate, f.Unit)
					if f.Ratio > 0 {
						fmt.Fprintf(w, "  %.2f of %s", f.Ratio, f.Baseline)
					}
					fmt.Fprintln(w)
				})
			}
			return b.Run(cmd.Context())
		},
	}
	cmd.Flags().Int64Var(&mib, "mib", 512, "size of the file that is put, in MiB")
	cmd.Flags().IntVar(&b.Rows, "rows", 300_000, "rows of the CSV file")
	cmd.Flags().IntVar(&b.Rounds, "rounds", 3, "rounds, each with its own baselines")
	return cmd
}
