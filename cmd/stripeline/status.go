package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// statusVerb shows how the links and targets are doing.
func statusVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show lag and rejects of every link, the storage targets, and the runs of rows", Args: cobra.NoArgs,
		Long:    "Show how far every link is behind its input, how many records it put aside, every target with the age of its heartbeat,\nand how far each recorded run of produce has come.",
		Example: examples("status", "status --json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withSite(cmd.Context(), pipeline.DefaultShape(), func(ctx context.Context, site *pipeline.Site) error {
				status, err := site.Status(ctx)
				if err != nil {
					return err
				}
				return a.output.emit(factsOfStatus(status), func(w io.Writer) { printStatus(w, status) })
			})
		},
	}
}

func printStatus(out io.Writer, s pipeline.Status) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "LINK\tINPUT\tLAG\tREJECTS\tMEMBERS\tGROUP")
	for _, l := range s.Links {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s %s\n", l.Link, l.Input, l.Lag, l.Rejects, l.Members, l.Group, l.State)
	}
	fmt.Fprintln(w, "\nTARGET\tSTATE\tHEARTBEAT\tFREE\tRACK\tADDRESS")
	for _, t := range s.Targets {
		fmt.Fprintf(w, "%s\t%s\t%s ago\t%s\t%s\t%s\n", t.ID, t.State, t.Silent.Round(time.Second), size(t.Free), t.Rack, t.Address)
	}
	printRuns(w, s.Runs)
	_ = w.Flush()
}
