package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// lintFlags name the schemas that a mapping file is checked against.
type lintFlags struct {
	from, to               string
	fromSubject, toSubject string
}

// lintVerb checks a mapping file.
func lintVerb(a *app) *cobra.Command {
	f := &lintFlags{}
	cmd := &cobra.Command{
		Use: "lint FILE", Short: "Check a mapping file", Args: cobra.ExactArgs(1),
		Long: `Check a mapping file. With --in and --out (schema files) or --from-subject and --to-subject every expression is checked against both
schemas; without them its form alone is. All findings are printed; exit code 2 if there are any.`,
		Example: examples("lint map.yaml", "lint map.yaml --in test.avsc --out testout.avsc", "lint map.yaml --from-subject test-value --to-subject testout-value"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.lint(cmd, args[0], f) },
	}
	f.declare(cmd)
	return cmd
}

func (f *lintFlags) declare(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&f.from, "in", "", "file of the input schema")
	set.StringVar(&f.to, "out", "", "file of the output schema")
	set.StringVar(&f.fromSubject, "from-subject", "", "subject of the input schema")
	set.StringVar(&f.toSubject, "to-subject", "", "subject of the output schema")
	cmd.MarkFlagsRequiredTogether("in", "out")
	cmd.MarkFlagsRequiredTogether("from-subject", "to-subject")
	cmd.MarkFlagsMutuallyExclusive("in", "from-subject")
}

func (a *app) lint(cmd *cobra.Command, name string, f *lintFlags) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return usagef("read mapping file: %w: name an existing file", err)
	}
	switch {
	case f.from != "":
		_, err = lintFiles(name, text, f)
	case f.fromSubject != "":
		t := &pipeline.Transform{MapName: name, MapText: text, FromPin: pipeline.Pin{Subject: f.fromSubject}, ToPin: pipeline.Pin{Subject: f.toSubject}}
		if t.Registry, err = a.subjects(); err == nil {
			_, err = t.Check(cmd.Context())
		}
	default:
		err = pipeline.LintMapping(name, text)
	}
	var findings pipeline.Findings
	if !errors.As(err, &findings) {
		return err
	}
	for _, x := range findings {
		a.output.line("%s", x.Error())
	}
	if a.settings.JSON {
		if err := a.output.emit(findings, nil); err != nil {
			return err
		}
	}
	return usagef("%s has %d findings: mend them", name, len(findings))
}

// lintFiles checks a mapping file against schema files.
func lintFiles(name string, text []byte, f *lintFlags) (*pipeline.TransformPlan, error) {
	schema := func(file string) (pipeline.RowSchema, error) {
		b, err := os.ReadFile(file)
		if err != nil {
			err = usagef("read schema file: %w: name an existing file", err)
		}
		return pipeline.RowSchema{Subject: file, Text: string(b)}, err
	}
	in, err := schema(f.from)
	if err != nil {
		return nil, err
	}
	out, err := schema(f.to)
	if err != nil {
		return nil, err
	}
	plan, err := pipeline.CheckMapping(name, text, in, out)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return plan, nil
}
