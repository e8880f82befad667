package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// testVerb runs the cases beside a mapping file.
func testVerb(a *app) *cobra.Command {
	f := &lintFlags{}
	var cases string
	cmd := &cobra.Command{
		Use: "test FILE", Short: "Run the cases beside a mapping file", Args: cobra.ExactArgs(1),
		Long: `Run the cases beside a mapping file through it, without brokers: map.yaml has them in map.test.yaml. Exit code 1 if one is not as it shall be.

A file of cases:
  cases:
  - name: united
    in: {carrier: UA, dep_delay: null}
    lookups: {airlines: {UA: {name: United}}}
    out: {airline: United, delay: 0.0}
  - {in: {carrier: "", dep_delay: 1}, reject: no carrier}
  - {in: {carrier: XX, dep_delay: 1}, left_out: true}`,
		Example: examples("test map.yaml --in test.avsc --out testout.avsc", "test map.yaml --from-subject test-value --to-subject testout-value"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.testMapping(cmd, args[0], cases, f) },
	}
	f.declare(cmd)
	cmd.MarkFlagsOneRequired("in", "from-subject")
	cmd.Flags().StringVar(&cases, "cases", "", "file of cases (default: beside the mapping file)")
	return cmd
}

func (a *app) testMapping(cmd *cobra.Command, name, casesName string, f *lintFlags) error {
	if casesName == "" {
		ending := filepath.Ext(name)
		casesName = strings.TrimSuffix(name, ending) + ".test" + ending
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return usagef("read mapping file: %w: name an existing file", err)
	}
	caseText, err := os.ReadFile(casesName)
	if err != nil {
		return usagef("read cases: %w: put them there, or name their file with --cases", err)
	}
	cases, err := pipeline.ParseCases(casesName, caseText)
	if err != nil {
		return usagef("%w: see 'stripeline test --help'", err)
	}
	var plan *pipeline.TransformPlan
	if f.from != "" {
		plan, err = lintFiles(name, text, f)
	} else {
		t := &pipeline.Transform{MapName: name, MapText: text, FromPin: pipeline.Pin{Subject: f.fromSubject}, ToPin: pipeline.Pin{Subject: f.toSubject}}
		if t.Registry, err = a.subjects(); err == nil {
			plan, err = t.Check(cmd.Context())
		}
	}
	if err != nil {
		return err
	}
	results, err := plan.Try(cases)
	if err != nil {
		return err
	}
	return a.printCases(casesName, results)
}

func (a *app) printCases(name string, results []pipeline.CaseResult) error {
	wrong := 0
	for _, r := range results {
		if r.Wrong != "" {
			wrong++
		}
		err := a.output.emit(r, func(w io.Writer) {
			if r.Wrong == "" {
				fmt.Fprintf(w, "ok    %s\n", r.Name)
			} else {
				fmt.Fprintf(w, "wrong %s: %s\n", r.Name, r.Wrong)
			}
		})
		if err != nil {
			return err
		}
	}
	if wrong > 0 {
		return failf("%d of %d cases of %s are not as they shall be: mend the mapping, or the case", wrong, len(results), name)
	}
	return nil
}
