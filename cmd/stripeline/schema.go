package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stripeline/schemas/client"
)

// schemaVerb keeps schemas.
func schemaVerb(a *app) *cobra.Command {
	return group("schema", "Register, read, check and remove schemas",
		schemaRegisterVerb(a), schemaGetVerb(a), schemaListVerb(a), schemaVersionsVerb(a), schemaCheckVerb(a), schemaDiffVerb(a), schemaInferVerb(a),
		schemaRemoveVerb(a), schemaConfigVerb(a), schemaModeVerb(a), schemaExportVerb(a), schemaImportVerb(a))
}

// schemaFlags describe the schema in a file.
type schemaFlags struct {
	kind       string
	references []string
}

func (f *schemaFlags) declare(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.kind, "type", "AVRO", "AVRO, JSON or PROTOBUF")
	cmd.Flags().StringArrayVar(&f.references, "reference", nil, "NAME=SUBJECT:VERSION that the schema refers to, may be given again")
}

// read reads a schema from a file, or from standard input for -.
func (f *schemaFlags) read(a *app, name string) (client.Schema, error) {
	s := client.Schema{Type: f.kind}
	var text []byte
	var err error
	if name == "-" {
		text, err = io.ReadAll(a.io.in)
	} else {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return s, usagef("read schema: %w: name an existing file, or -", err)
	}
	s.Text = string(text)
	if s.References, err = parseReferences("--reference", f.references); err != nil {
		return s, err
	}
	if err := checkText(s, "--reference"); strings.EqualFold(f.kind, "AVRO") && errors.Is(err, client.ErrUnknownType) {
		return s, usagef("%s: %w", name, err)
	}
	return s, nil
}

func schemaRegisterVerb(a *app) *cobra.Command {
	f := &schemaFlags{}
	cmd := &cobra.Command{
		Use: "register SUBJECT FILE", Short: "Register the schema in FILE as the newest version of SUBJECT", Args: cobra.ExactArgs(2),
		Example: examples("schema register flights-value flights.avsc", "schema infer flights.csv | stripeline schema register flights-value -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			s, err := f.read(a, args[1])
			if err != nil {
				return err
			}
			id, err := registry.Register(cmd.Context(), args[0], s)
			if err != nil {
				return schemaError(err, args[0])
			}
			return a.output.emit(map[string]any{"subject": args[0], "id": id}, func(w io.Writer) { fmt.Fprintf(w, "%s has id %d\n", args[0], id) })
		},
	}
	f.declare(cmd)
	return cmd
}

// schemaError says what to do about an answer of the registry.
func schemaError(err error, subject string) error {
	switch {
	case errors.Is(err, client.ErrIncompatible):
		return fmt.Errorf("%w: see 'stripeline schema check %s FILE'", err, subject)
	case errors.Is(err, client.ErrNotFound):
		return fmt.Errorf("%w: see 'stripeline schema ls'", err)
	case errors.Is(err, client.ErrUnreachable):
		return fmt.Errorf("%w: start one there, or give another address with --registry", err)
	}
	return err
}

func schemaGetVerb(a *app) *cobra.Command {
	var version, id int
	cmd := &cobra.Command{
		Use: "get [SUBJECT]", Short: "Print a schema", Args: cobra.MaximumNArgs(1),
		Example: examples("schema get flights-value", "schema get flights-value --version 2", "schema get --id 7 --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (id != 0) {
				return usagef("schema get needs a subject or --id, not both")
			}
			registry, err := a.registry()
			if err != nil {
				return err
			}
			v := client.Version{}
			if id != 0 {
				v.Schema, err = registry.ByID(cmd.Context(), id)
			} else {
				v, err = registry.Client.Version(cmd.Context(), args[0], version)
			}
			if err != nil {
				return schemaError(err, strings.Join(args, ""))
			}
			return a.output.emit(versionJSON(v), func(w io.Writer) { fmt.Fprintln(w, indented(v.Text)) })
		},
	}
	cmd.Flags().IntVar(&version, "version", -1, "version of the subject (-1: the latest)")
	cmd.Flags().IntVar(&id, "id", 0, "schema id instead of a subject")
	return cmd
}

func versionJSON(v client.Version) map[string]any {
	out := map[string]any{"id": v.ID, "schema": v.Text, "type": v.Type}
	if v.Subject != "" {
		out["subject"], out["version"] = v.Subject, v.Number
	}
	if len(v.References) > 0 {
		out["references"] = v.References
	}
	return out
}

// indented is JSON text for people; other text stays.
func indented(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

func schemaListVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List subjects", Args: cobra.NoArgs, Example: examples("schema ls", "schema ls --json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			names, err := registry.Subjects(cmd.Context())
			if err != nil {
				return schemaError(err, "")
			}
			t := table{header: []string{"subject"}}
			for _, name := range names {
				t.add(name)
			}
			return a.output.table(t)
		},
	}
}

func schemaVersionsVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "versions SUBJECT", Short: "List the versions of a subject", Args: cobra.ExactArgs(1), Example: examples("schema versions flights-value"),
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			numbers, err := registry.Versions(cmd.Context(), args[0])
			if err != nil {
				return schemaError(err, args[0])
			}
			t := table{header: []string{"version", "id"}}
			for _, n := range numbers {
				v, err := registry.Client.Version(cmd.Context(), args[0], n)
				if err != nil {
					return schemaError(err, args[0])
				}
				t.add(n, v.ID)
			}
			return a.output.table(t)
		},
	}
}
