// Package main is in the cmd room: the words a person types, one file per verb. A verb reads flags, calls one journey of package pipeline,
// prints what came of it and ends with an honest exit code; it holds no machinery of its own.
//
// A verb is a function `func xyzVerb(a *app) *cobra.Command`, named in the list in root.go. When its RunE is called, a.settings is complete
// (flag over environment over config file over default), cmd.Context() ends on the first SIGINT or SIGTERM, and what it returns becomes one
// line on standard error and the exit code (errors.go). It prints through a.output (output.go) and reports progress through a.progress
// (progress.go).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(runProcess())
}

// runProcess runs the command line of this process: the first SIGINT or SIGTERM ends the context, a second one ends the process at once.
func runProcess() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals
		os.Exit(exitInterrupted)
	}()
	a := newApp(stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.LookupEnv)
	return a.execute(ctx, os.Args[1:])
}
