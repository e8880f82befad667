package main

import (
	"io"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// planVerb prints the chain of links of a journey.
func planVerb(a *app) *cobra.Command {
	var dot bool
	write := &cobra.Command{
		Use: "write", Short: "Print the links, topics, keys, groups and stages by which a file is written", Args: cobra.NoArgs,
		Example: examples("plan write", "plan write --dot | dot -Tsvg > write.svg"),
		RunE: func(*cobra.Command, []string) error {
			plan := pipeline.WritePlan(a.settings.Namespace)
			var failed error
			if err := a.output.emit(plan, func(w io.Writer) {
				if dot {
					failed = plan.DOT(w)
					return
				}
				failed = plan.Text(w)
			}); err != nil {
				return err
			}
			return failed
		},
	}
	write.Flags().BoolVar(&dot, "dot", false, "print a graph in Graphviz's language")
	return group("plan", "Print what runs between topics", write)
}
