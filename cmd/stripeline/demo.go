package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// demoVerb shows both journeys on real data.
func demoVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Show both journeys on real data, on a stack of its own", Args: cobra.NoArgs,
		Long: `Start broker, registry, nine targets and all links in a temporary directory on free ports; register schemas; produce a
real CSV file; map it to another schema; show what becomes of bad rows; put a file of 256 MiB; remove a target and flip bits on
another while reading; compare digests; clean up.`,
		Example: examples("demo", "demo --json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			began := time.Now()
			number := 0
			demo := pipeline.Demo{Logger: a.logger, Say: func(s pipeline.DemoStep) {
				number++
				_ = a.output.emit(s, func(w io.Writer) { printStep(w, number, s) })
			}}
			if err := demo.Run(cmd.Context()); err != nil {
				return err
			}
			a.output.line("\nAll of it in %.1f s, and cleaned up. Go on with your own data:", time.Since(began).Seconds())
			a.output.line("  stripeline dev                      the same stack, to stay")
			a.output.line("  stripeline put FILE /path           and: get, ls, stat, mv, rm")
			a.output.line("  stripeline schema infer FILE.csv    a schema for your CSV, then: schema register, produce csv, consume, transform")
			a.output.line("  stripeline plan write               what runs between which topics")
			return nil
		},
	}
}

func printStep(w io.Writer, number int, s pipeline.DemoStep) {
	fmt.Fprintf(w, "\n%d. %s (%.2f s)\n", number, s.Title, s.Took.Seconds())
	for _, line := range s.Lines {
		fmt.Fprintf(w, "   %s\n", line)
	}
}
