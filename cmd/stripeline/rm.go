package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/schemas"
)

// rmVerb removes files from the catalog.
func rmVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rm PATH...", Short: "Remove files from the catalog", Args: cobra.MinimumNArgs(1),
		Long: `Remove files. Their shards go 10 minutes later. What is being written under a path that has content goes on beside it;
rm of a path without content gives up what is being written there, such as what a killed put has left.`,
		Example: examples("rm /iso/big.iso"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd.Context(), args, func(ctx context.Context, site *pipeline.Site) error {
				for _, path := range args {
					if err := site.Remove(ctx, path); err != nil {
						return err
					}
					if err := a.changed(map[string]string{"removed": path}, "removed "+path); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// mvVerb renames a file within its volume.
func mvVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "mv PATH NEW-PATH", Short: "Rename a file of the catalog", Args: cobra.ExactArgs(2),
		Long:    "Rename a file within its volume, which is the first element of its path. What the new path had is replaced.",
		Example: examples("mv /iso/big.iso /iso/old.iso"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd.Context(), args, func(ctx context.Context, site *pipeline.Site) error {
				if err := site.Rename(ctx, args[0], args[1]); err != nil {
					return err
				}
				return a.changed(map[string]string{"renamed": args[0], "to": args[1]}, "renamed "+args[0]+" to "+args[1])
			})
		},
	}
}

// change checks the paths and runs the work.
func (a *app) change(ctx context.Context, paths []string, work func(context.Context, *pipeline.Site) error) error {
	for _, path := range paths {
		if err := schemas.CheckPath(path); err != nil {
			return usagef("%w", err)
		}
	}
	return a.visitSite(ctx, work)
}

func (a *app) changed(facts map[string]string, text string) error {
	return a.summary(facts, func(w io.Writer) { fmt.Fprintln(w, text) })
}
