package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// verbs is the explicit list of what a person can type. A verb file adds its function here and nowhere else.
func verbs() []func(*app) *cobra.Command {
	return []func(*app) *cobra.Command{
		schemaVerb,
		topicVerb,
		produceVerb,
		consumeVerb,
		transformVerb,
		lintVerb,
		testVerb,
		rejectsVerb,
		demoVerb,
		devVerb,
		registryVerb,
		workerVerb,
		putVerb,
		getVerb,
		lsVerb,
		statVerb,
		mvVerb,
		rmVerb,
		planVerb,
		statusVerb,
		benchVerb,
		versionVerb,
	}
}

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// app is one run of the command line: its streams, its environment and, once flags are parsed, its settings.
type app struct {
	io        stdio
	env       func(string) (string, bool)
	settings  settings
	logger    *slog.Logger
	output    *output
	startable bool // false until a verb's RunE is reached: errors before that are usage errors
}

func newApp(streams stdio, env func(string) (string, bool)) *app {
	a := &app{io: streams, env: env, logger: slog.New(slog.DiscardHandler)}
	a.output = &output{w: streams.out}
	return a
}

// execute parses args, runs the verb and returns the process's exit code, after printing at most one line about what went wrong.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if flushErr := a.output.flush(); err == nil {
		err = flushErr
	}
	return a.finish(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "stripeline",
		Short: "Stream rows and files through Kafka: CSV to Avro topics, and files to erasure-coded blocks",
		Long: `Stripeline is a streaming ETL pipeline whose only engine is Kafka.

Rows:   CSV lines become Avro records on a topic, typed by a schema registry.
Blocks: files become packets on a topic, erasure-coded and kept on storage targets.

Every flag may be given as an environment variable (--log-level is STRIPELINE_LOG_LEVEL) or in a config file (--config).
Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 done with rejects, 130 interrupted.`,
		Example: `  stripeline schema register flights-value flights.avsc
  stripeline produce csv flights.csv.gz --topic flights --null NA
  stripeline consume --topic flights -n 5`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          needsVerb,
	}
	root.SetIn(a.io.in)
	root.SetOut(a.io.out)
	root.SetErr(a.io.err)
	a.settings.declare(root.PersistentFlags())
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) }
	for _, verb := range verbs() {
		root.AddCommand(verb(a))
	}
	a.markStarts(root)
	return root
}

// prepare completes the settings from the environment and the config file, and makes the logger and the printer of the verb.
func (a *app) prepare(cmd *cobra.Command) error {
	if err := a.complete(cmd); err != nil {
		return err
	}
	logger, err := newLogger(a.io.err, a.settings)
	if err != nil {
		return err
	}
	a.logger = logger
	a.settings.Logger = logger
	a.output.json = a.settings.JSON
	return nil
}

// markStarts wraps the RunE of every command below cmd, so that execute can tell an error of the command line from one of the work.
func (a *app) markStarts(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.startable = true
			return run(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		a.markStarts(child)
	}
}

// group is a verb that only holds other verbs, such as `schema`.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: needsVerb}
	cmd.AddCommand(children...)
	return cmd
}

func needsVerb(cmd *cobra.Command, _ []string) error {
	return usagef("%s needs a verb: see '%s --help'", cmd.Name(), cmd.CommandPath())
}

// newLogger makes the one logger of the process; it writes to standard error, so that output can be piped.
func newLogger(w io.Writer, s settings) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return nil, usagef("--log-level is %q: use debug, info, warn or error", s.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch s.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, usagef("--log-format is %q: use text or json", s.LogFormat)
}

// examples formats usage lines for a verb's help.
func examples(lines ...string) string {
	text := ""
	for i, line := range lines {
		if i > 0 {
			text += "\n"
		}
		text += fmt.Sprintf("  stripeline %s", line)
	}
	return text
}
