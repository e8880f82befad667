package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/schemas/client"
)

func schemaCheckVerb(a *app) *cobra.Command {
	f := &schemaFlags{}
	var version int
	cmd := &cobra.Command{
		Use: "check SUBJECT FILE", Short: "Ask whether the schema in FILE may become the next version of SUBJECT", Args: cobra.ExactArgs(2),
		Long:    "Ask the registry whether its rules would let the schema in. Nothing is written. What changed against the\nversion asked about (the latest), and for whom it breaks, is said as well. Exit code 1 when the rules would not.",
		Example: examples("schema check flights-value flights-v2.avsc", "schema check flights-value flights-v2.avsc --version 1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			s, err := f.read(a, args[1])
			if err != nil {
				return err
			}
			var verdict client.Verdict
			if version != 0 {
				verdict, err = registry.CheckVersion(cmd.Context(), client.Version{Subject: args[0], Number: version}, s)
			} else {
				verdict, err = registry.Check(cmd.Context(), args[0], s)
			}
			if err != nil {
				return schemaError(err, args[0])
			}
			c, err := compareWithHeld(cmd.Context(), registry, client.Version{Subject: args[0], Number: version, Schema: s})
			if err != nil {
				return schemaError(err, args[0])
			}
			return a.printVerdict(args[0], verdict, c)
		},
	}
	f.declare(cmd)
	cmd.Flags().IntVar(&version, "version", 0, "check against this version alone (-1: the latest)")
	return cmd
}

// compareWithHeld compares an Avro schema with the version of its subject that it would follow; nil where there is none, or where either is not Avro.
func compareWithHeld(ctx context.Context, registry pipeline.RegistryClient, next client.Version) (*client.Comparison, error) {
	if next.Number == 0 {
		next.Number = pipeline.Latest
	}
	held, err := registry.Client.Version(ctx, next.Subject, next.Number)
	if errors.Is(err, client.ErrNotFound) {
		return nil, nil
	}
	if err != nil || held.Type != "AVRO" || !strings.EqualFold(next.Type, "AVRO") {
		return nil, err
	}
	before, err := registry.ResolveText(ctx, held.Schema)
	if err != nil {
		return nil, err
	}
	after, err := registry.ResolveText(ctx, next.Schema)
	if err != nil {
		return nil, err
	}
	c, err := client.Compare(before, after)
	if errors.Is(err, client.ErrInvalid) { // which the registry has said already
		return nil, nil
	}
	return &c, err
}

// printVerdict says what the registry would answer, and what changed where that is known.
func (a *app) printVerdict(subject string, v client.Verdict, c *client.Comparison) error {
	facts := map[string]any{"subject": subject, "compatible": v.Compatible, "messages": v.Messages}
	if c != nil {
		maps.Copy(facts, comparisonJSON(*c))
	}
	err := a.output.emit(facts, func(w io.Writer) {
		if c != nil {
			writeComparison(w, *c)
		}
		for _, m := range v.Messages {
			fmt.Fprintln(w, m)
		}
		if v.Compatible {
			fmt.Fprintf(w, "compatible with %s\n", subject)
		}
	})
	if err == nil && !v.Compatible {
		return failf("schema is not compatible with %s: mend it, or change the level with 'stripeline schema config %s LEVEL'", subject, subject)
	}
	return err
}
