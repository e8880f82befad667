package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/schemas"
)

// putVerb writes a file of this machine, or standard input, into the catalog.
func putVerb(a *app) *cobra.Command {
	var o pipeline.PutOptions
	var level string
	var create bool
	cmd := &cobra.Command{
		Use: "put FILE PATH", Short: "Write a file into the catalog", Args: cobra.ExactArgs(2),
		Long: `Write a file, or standard input (-), under a path of the catalog. It returns when the file is readable under its path.
--ack chooses an earlier moment: logged (the brokers have every packet), stored (every stripe is durable on at least q
targets), full (on all n). A path that has content is replaced when the new content is committed, and not before.`,
		Example: examples("put big.iso /iso/big.iso", "put - /logs/today --policy RS-3-2-64k --ack stored"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path, o.Level = args[1], pipeline.Level(level)
			if !slices.Contains(pipeline.Levels(), o.Level) {
				return usagef("--ack is %q: use logged, stored, full or committed", level)
			}
			if create {
				o.IfVersion = new(schemas.Generation)
			}
			if err := checkPut(o); err != nil {
				return err
			}
			return a.withSite(cmd.Context(), pipeline.DefaultShape(), func(ctx context.Context, site *pipeline.Site) error {
				return a.put(ctx, site, putting{o, args[0]})
			})
		},
	}
	cmd.Flags().StringVar(&o.Policy, "policy", schemas.DefaultPolicy, "how stripes become cells: RS-k-m-<cell>k, XOR-2-1-<cell>k or REP-r")
	cmd.Flags().StringVar(&level, "ack", string(pipeline.Committed), "return when the file is: logged, stored, full or committed")
	cmd.Flags().StringToStringVar(&o.Metadata, "meta", nil, "metadata kept with the file, as key=value")
	suggest(cmd, "ack", "logged", "stored", "full", "committed")
	suggest(cmd, "policy", "RS-3-2-64k", "RS-6-3-64k", "RS-10-4-64k", "XOR-2-1-64k", "REP-3", "RS-6-3-1024k")
	cmd.Flags().BoolVar(&create, "create", false, "refuse when the path has content already")
	return cmd
}

func checkPut(o pipeline.PutOptions) error {
	if err := schemas.CheckPath(o.Path); err != nil {
		return usagef("%w", err)
	}
	if _, err := schemas.ParsePolicy(o.Policy); err != nil {
		return usagef("%w", err)
	}
	if _, empty := o.Metadata[""]; empty {
		return usagef("--meta has an empty key: write it as key=value")
	}
	return nil
}

type putting struct {
	options pipeline.PutOptions
	source  string
}

func (a *app) put(ctx context.Context, site *pipeline.Site, p putting) error {
	in, length, err := a.input(ctx, p.source)
	if err != nil {
		return err
	}
	defer in.Close()
	var state atomic.Value
	bar := a.progress("put "+p.options.Path, length, func() string { s, _ := state.Load().(string); return s })
	defer bar.done()
	p.options.Size = length
	p.options.Progress = func(at pipeline.PutProgress) {
		bar.set(at.Logged)
		state.Store(at.State)
	}
	start := time.Now()
	result, err := site.Put(ctx, in, p.options)
	bar.done()
	if err != nil {
		return err
	}
	took := time.Since(start)
	return a.summary(putFacts{result, result.Version.String()}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s %s in %d blocks of %s, version %s, %.2f s, %s\n", result.Path, size(result.Length), result.Level,
			result.Blocks, result.Policy, result.Version, took.Seconds(), rate(result.Length, took))
	})
}

// input opens a file of this machine, or standard input for "-", and gives its length in bytes, 0 when it is not known.
// What may be silent for long ends with ctx.
func (a *app) input(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(newInterruptible(ctx, a.io.in)), 0, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: name a file that this user can read", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: put its files one by one", strings.TrimSuffix(name, "/"))
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return struct {
			io.Reader
			io.Closer
		}{newInterruptible(ctx, file), file}, 0, nil
	}
	return file, info.Size(), nil
}
