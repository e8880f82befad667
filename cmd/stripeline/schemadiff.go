package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/schemas/client"
)

func schemaDiffVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "diff OLD NEW", Short: "Show what changed between two schemas, and for whom it breaks", Args: cobra.ExactArgs(2),
		Long:    "OLD and NEW are files, subjects (their latest version), or SUBJECT:VERSION.",
		Example: examples("schema diff flights-value flights-v2.avsc", "schema diff flights-value:1 flights-value:2"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var texts [2]string
			for i, arg := range args {
				var err error
				if texts[i], err = a.schemaText(cmd.Context(), arg); err != nil {
					return err
				}
			}
			c, err := client.Compare(texts[0], texts[1])
			if err != nil {
				return err
			}
			return a.printComparison(c)
		},
	}
}

// schemaText reads a file, or asks the registry for SUBJECT or SUBJECT:VERSION.
func (a *app) schemaText(ctx context.Context, place string) (string, error) {
	if text, err := os.ReadFile(place); err == nil {
		return string(text), nil
	}
	registry, err := a.registry()
	if err != nil {
		return "", err
	}
	subject, version := place, pipeline.Latest
	if i := strings.LastIndexByte(place, ':'); i > 0 {
		if n, err := strconv.Atoi(place[i+1:]); err == nil {
			subject, version = place[:i], n
		}
	}
	s, err := registry.Version(ctx, subject, version)
	if err != nil {
		return "", fmt.Errorf("%s is no file, and as a subject: %w", place, schemaError(err, subject))
	}
	return s.Text, nil
}

func (a *app) printComparison(c client.Comparison) error {
	return a.output.emit(comparisonJSON(c), func(w io.Writer) { writeComparison(w, c) })
}

func comparisonJSON(c client.Comparison) map[string]any {
	out := map[string]any{"changes": c.Changes, "new_reads_old": c.NewReadsOld == nil, "old_reads_new": c.OldReadsNew == nil}
	if c.NewReadsOld != nil {
		out["new_reads_old_why"] = oneLine(c.NewReadsOld)
	}
	if c.OldReadsNew != nil {
		out["old_reads_new_why"] = oneLine(c.OldReadsNew)
	}
	return out
}

// writeComparison says what changed and for whom it breaks.
func writeComparison(w io.Writer, c client.Comparison) {
	reason := func(err error) string {
		if err == nil {
			return "yes"
		}
		return "no: " + oneLine(err)
	}
	for _, change := range c.Changes {
		fmt.Fprintf(w, "%s: %s\n", change.Path, change.What)
		if change.Warning != "" {
			fmt.Fprintf(w, "  warning: %s\n", change.Warning)
		}
	}
	if len(c.Changes) == 0 {
		fmt.Fprintln(w, "no changes")
	}
	fmt.Fprintf(w, "consumers with the new schema read old records: %s\n", reason(c.NewReadsOld))
	fmt.Fprintf(w, "consumers with the old schema read new records: %s\n", reason(c.OldReadsNew))
}

func schemaInferVerb(a *app) *cobra.Command {
	i := pipeline.Inference{}
	f := &csvFlags{}
	cmd := &cobra.Command{
		Use: "infer FILE", Short: "Find a schema that the rows of a CSV file fit, and print it", Args: cobra.ExactArgs(1),
		Example: examples("schema infer flights.csv.gz --null NA > flights.avsc"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.journey(args)
			if err != nil {
				return err
			}
			i.File, i.CSV, i.Nulls = args[0], p.CSV, f.nulls
			i.CSV.Stdin = a.io.in
			inferred, err := i.Run(cmd.Context())
			if err != nil {
				return err
			}
			for _, note := range inferred.Notes {
				if !a.settings.Quiet && !a.settings.JSON {
					fmt.Fprintf(a.io.err, "note: %s\n", note)
				}
			}
			v := map[string]any{"schema": inferred.Schema, "rows": inferred.Rows, "notes": inferred.Notes}
			return a.output.emit(v, func(w io.Writer) { fmt.Fprintln(w, indented(inferred.Schema)) })
		},
	}
	f.declareForm(cmd.Flags())
	cmd.Flags().StringArrayVar(&f.nulls, "null", nil, "text that means null, may be given again")
	cmd.Flags().StringVar(&i.Name, "name", "", "name of the record (default: the file's)")
	cmd.Flags().IntVar(&i.Rows, "rows", 0, "look at so many rows (0: all)")
	return cmd
}

func schemaExportVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Print every version of every subject, ids and all, as JSON lines", Args: cobra.NoArgs,
		Example: examples("schema export > schemas.jsonl"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			lines := json.NewEncoder(a.io.out)
			return registry.Export(cmd.Context(), func(e client.Exported) error { return lines.Encode(e) })
		},
	}
}

// maxExported bounds a line of an export in bytes.
const maxExported = 16 << 20

func schemaImportVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Put exported versions where they were, with their ids", Args: cobra.ExactArgs(1),
		Long:    "The registry must be in mode IMPORT: see 'stripeline schema mode IMPORT'.",
		Example: examples("schema import schemas.jsonl", "schema export | stripeline schema import - --registry http://other:8081"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := a.io.in
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return usagef("read export: %w: name an existing file, or -", err)
				}
				defer file.Close()
				in = file
			}
			return a.importSchemas(cmd.Context(), in)
		},
	}
}

func (a *app) importSchemas(ctx context.Context, in io.Reader) error {
	registry, err := a.registry()
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxExported)
	n := 0
	for lines.Scan() {
		var e client.Exported
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("import line %d: %w: give what 'stripeline schema export' printed", n+1, err)
		}
		if err := registry.Import(ctx, e); err != nil {
			return schemaError(err, e.Subject)
		}
		n++
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("import line %d: %w", n+1, err)
	}
	return a.output.emit(map[string]any{"imported": n}, func(w io.Writer) { fmt.Fprintf(w, "%d versions imported\n", n) })
}
