package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/schemas"
)

// lsVerb lists files of the catalog.
func lsVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ls [PREFIX]", Short: "List files of the catalog", Args: cobra.MaximumNArgs(1),
		Example: examples("ls", "ls /iso/", "ls --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			prefix := "/"
			if len(args) == 1 {
				prefix = args[0]
			}
			if !strings.HasPrefix(prefix, "/") {
				return usagef("prefix %q: it must begin with /", prefix)
			}
			return a.visitSite(cmd.Context(), func(ctx context.Context, site *pipeline.Site) error {
				entries, err := site.List(ctx, prefix)
				if err != nil {
					return err
				}
				if len(entries) == 0 && prefix != "/" {
					return fmt.Errorf("list %s: %w: no path begins with it", prefix, pipeline.ErrNoFile)
				}
				return a.listEntries(entries)
			})
		},
	}
}

func (a *app) listEntries(entries []schemas.Entry) error {
	t := table{header: []string{"length", "modified", "policy", "version", "path"}}
	for _, e := range entries {
		if e.Committed() {
			t.add(e.Length, time.UnixMilli(e.Time).UTC().Format(time.DateTime), e.Policy, e.Version.String(), e.Path)
		}
	}
	return a.output.table(t)
}

// statVerb shows one file, its blocks and its opens.
func statVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "stat PATH", Short: "Show a file of the catalog, its blocks and its opens", Args: cobra.ExactArgs(1),
		Example: examples("stat /iso/big.iso", "stat /iso/big.iso --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := schemas.CheckPath(args[0]); err != nil {
				return usagef("%w", err)
			}
			return a.visitSite(cmd.Context(), func(ctx context.Context, site *pipeline.Site) error {
				detail, err := site.Detail(ctx, args[0])
				if err != nil {
					return err
				}
				return a.output.emit(factsOfDetail(detail), func(w io.Writer) { printDetail(w, detail) })
			})
		},
	}
}

func printDetail(w io.Writer, d pipeline.FileDetail) {
	e := d.Entry
	fmt.Fprintf(w, "path      %s\n", e.Path)
	if e.Committed() {
		fmt.Fprintf(w, "length    %d\ncrc32c    %08x\nversion   %s\nfile      %s\npolicy    %s\nmodified  %s\n",
			e.Length, e.CRC, e.Version, e.File, e.Policy, time.UnixMilli(e.Time).UTC().Format(time.RFC3339))
	}
	for _, key := range sorted(e.Metadata) {
		fmt.Fprintf(w, "meta      %s=%s\n", key, e.Metadata[key])
	}
	for _, b := range d.Blocks {
		fmt.Fprintf(w, "block     %s %s, %d bytes, %d stripes, %d shards\n", b.ID, b.State, b.Length, b.Stored, len(b.Shards))
	}
	for _, o := range e.Opens {
		fmt.Fprintf(w, "open      generation %s, file %s, since %s\n", o.Generation, o.File, time.UnixMilli(o.Time).UTC().Format(time.RFC3339))
	}
}
