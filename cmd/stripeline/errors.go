package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"stripeline/pipeline"
	"stripeline/pipeline/kafka"
)

// Exit codes of every verb.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRejects     = 3
	exitInterrupted = 130
)

// errInterrupted is the cause of the context's end after SIGINT or SIGTERM. A verb that stopped because of it returns it, or any error
// that wraps context.Canceled, after it has printed its summary.
var errInterrupted = errors.New("interrupted")

// exitError is an error with the exit code that it stands for.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string { return e.err.Error() }

// Unwrap gives the error itself.
func (e *exitError) Unwrap() error { return e.err }

// usagef says that the command line or the configuration is wrong (exit code 2). The text is "what is wrong, where: what to do".
func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// failf says that the work failed (exit code 1). Plain errors mean the same.
func failf(format string, args ...any) error {
	return &exitError{code: exitFailed, err: fmt.Errorf(format, args...)}
}

// rejected says that the work is done but n records of source were put aside on the topic rejects (exit code 3).
func rejected(n int64, rejects, source string) error {
	noun := "records were"
	if n == 1 {
		noun = "record was"
	}
	return &exitError{code: exitRejects, err: fmt.Errorf("%d %s put aside on %s: see 'stripeline rejects ls %s'", n, noun, rejects, source)}
}

// finish prints the one line that err deserves and gives the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	code := a.exitCode(ctx, err)
	if code == exitInterrupted {
		err = errInterrupted
	}
	var refused *pipeline.Incompatible
	errors.As(err, &refused)
	if a.settings.JSON {
		facts := map[string]any{"error": oneLine(err), "code": code}
		if refused != nil {
			facts["messages"] = refused.Messages
		}
		line, _ := json.Marshal(facts)
		fmt.Fprintf(a.io.err, "%s\n", line)
		return code
	}
	fmt.Fprintf(a.io.err, "stripeline: %s\n", oneLine(err))
	if refused != nil {
		for _, message := range refused.Messages {
			fmt.Fprintln(a.io.err, strings.Join(strings.Fields(message), " "))
		}
	}
	return code
}

func (a *app) exitCode(ctx context.Context, err error) int {
	if !a.startable {
		return exitUsage
	}
	interrupted := errors.Is(context.Cause(ctx), errInterrupted)
	if errors.Is(err, errInterrupted) || interrupted && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	if wrongUsage(err) {
		return exitUsage
	}
	return exitFailed
}

// wrongUsage says whether a journey refused what the person asked for, before it began.
func wrongUsage(err error) bool {
	for _, kind := range []error{kafka.ErrConfig, pipeline.ErrCSVOptions, pipeline.ErrCommitExists, pipeline.ErrOtherOwner} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return errors.As(err, new(pipeline.Findings))
}

// oneLine keeps an error on one line, whatever a library put into it.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
