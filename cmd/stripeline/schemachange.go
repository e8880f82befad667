package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stripeline/schemas/client"
)

func schemaRemoveVerb(a *app) *cobra.Command {
	var version int
	var permanent, yes bool
	cmd := &cobra.Command{
		Use: "rm SUBJECT", Short: "Remove a subject, or one version of it", Args: cobra.ExactArgs(1),
		Long:    "Remove hides versions: ids stay readable, and registering again brings them back. --permanent forgets what was removed before.",
		Example: examples("schema rm flights-value --yes", "schema rm flights-value --version 1 --yes", "schema rm flights-value --permanent --yes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return usagef("schema rm removes %s: say --yes", args[0])
			}
			registry, err := a.registry()
			if err != nil {
				return err
			}
			if version != 0 {
				err = registry.DeleteVersion(cmd.Context(), client.Version{Subject: args[0], Number: version}, client.Permanence(permanent))
			} else {
				_, err = registry.DeleteSubject(cmd.Context(), args[0], client.Permanence(permanent))
			}
			if err != nil {
				return schemaError(err, args[0])
			}
			return a.output.emit(map[string]any{"subject": args[0], "removed": true}, func(w io.Writer) { fmt.Fprintf(w, "removed %s\n", args[0]) })
		},
	}
	cmd.Flags().IntVar(&version, "version", 0, "only this version")
	cmd.Flags().BoolVar(&permanent, "permanent", false, "forget what was removed before")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it")
	return cmd
}

// configArgs splits "[SUBJECT] [VALUE]": a lone argument is a value when it is one of the known words.
func configArgs(args, words []string) (subject, value string) {
	known := func(text string) bool {
		for _, w := range words {
			if strings.EqualFold(w, text) {
				return true
			}
		}
		return false
	}
	switch {
	case len(args) == 2:
		return args[0], strings.ToUpper(args[1])
	case len(args) == 1 && known(args[0]):
		return "", strings.ToUpper(args[0])
	case len(args) == 1:
		return args[0], ""
	}
	return "", ""
}

func schemaConfigVerb(a *app) *cobra.Command {
	var reset bool
	levels := []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}
	cmd := &cobra.Command{
		Use: "config [SUBJECT] [LEVEL]", Short: "Show or set the compatibility level", Args: cobra.MaximumNArgs(2),
		Long:      "Show or set the compatibility level of a subject, or the global one: " + strings.Join(levels, ", ") + ".",
		Example:   examples("schema config", "schema config NONE", "schema config flights-value FULL", "schema config flights-value --reset"),
		ValidArgs: levels,
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			subject, level := configArgs(args, levels)
			if level != "" || reset {
				if err := registry.SetCompatibility(cmd.Context(), subject, level); err != nil {
					return schemaError(err, subject)
				}
			}
			if level, err = registry.Compatibility(cmd.Context(), subject); err != nil {
				return schemaError(err, subject)
			}
			return a.output.emit(map[string]any{"subject": subject, "compatibility": level}, func(w io.Writer) { fmt.Fprintln(w, level) })
		},
	}
	cmd.Flags().BoolVar(&reset, "reset", false, "remove the subject's own level")
	return cmd
}

func schemaModeVerb(a *app) *cobra.Command {
	var force bool
	modes := []string{"READWRITE", "READONLY", "IMPORT"}
	cmd := &cobra.Command{
		Use: "mode [SUBJECT] [MODE]", Short: "Show or set the mode", Args: cobra.MaximumNArgs(2),
		Long:      "Show or set the mode of a subject, or the global one: " + strings.Join(modes, ", ") + ".",
		Example:   examples("schema mode", "schema mode flights-value READONLY"),
		ValidArgs: modes,
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := a.registry()
			if err != nil {
				return err
			}
			subject, mode := configArgs(args, modes)
			if mode != "" {
				if err := registry.SetMode(cmd.Context(), subject, mode, client.Force(force)); err != nil {
					return schemaError(err, subject)
				}
			}
			if mode, err = registry.Mode(cmd.Context(), subject); err != nil {
				return schemaError(err, subject)
			}
			return a.output.emit(map[string]any{"subject": subject, "mode": mode}, func(w io.Writer) { fmt.Fprintln(w, mode) })
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "IMPORT although there are schemas")
	return cmd
}
