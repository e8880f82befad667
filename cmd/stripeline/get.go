package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/schemas"
)

// getVerb reads a file of the catalog.
func getVerb(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "get PATH FILE", Short: "Read a file of the catalog", Args: cobra.ExactArgs(2),
		Long: `Read a file of the catalog into a file of this machine, or to standard output (-). Every byte is verified before it is
handed on. A destination appears under its name when it is whole; after a failure there is nothing of it.`,
		Example: examples("get /iso/big.iso copy.iso", "get /logs/today - | head"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := schemas.CheckPath(args[0]); err != nil {
				return usagef("%w", err)
			}
			return a.visitSite(cmd.Context(), func(ctx context.Context, site *pipeline.Site) error {
				return a.get(ctx, site, getting{args[0], args[1]})
			})
		},
	}
	return cmd
}

type getting struct{ path, destination string }

func (a *app) get(ctx context.Context, site *pipeline.Site, g getting) error {
	start := time.Now()
	if g.destination == "-" {
		_, err := site.Get(ctx, g.path, a.io.out)
		return err
	}
	file, err := site.OpenFile(ctx, g.path, nil)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := a.progress("get "+g.path, file.Entry.Length, nil)
	defer bar.done()
	err = pipeline.SaveAs(ctx, g.destination, func(w io.Writer) error {
		_, err := file.WriteTo(io.MultiWriter(w, counting{bar}))
		return err
	})
	bar.done()
	if err != nil {
		return err
	}
	took := time.Since(start)
	entry := file.Entry
	return a.summary(factsOfEntry(entry), func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s, version %s, %.2f s, %s\n", g.destination, size(entry.Length), entry.Version, took.Seconds(), rate(entry.Length, took))
	})
}

// counting is a writer that moves a progress bar.
type counting struct{ bar *progress }

// Write counts.
func (c counting) Write(b []byte) (int, error) {
	c.bar.add(int64(len(b)))
	return len(b), nil
}
