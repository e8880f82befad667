package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stripeline/pipeline"
)

// stack is a whole stack in this process for verbs that are run in it as well.
type stack struct {
	t   *testing.T
	env map[string]string
}

func newStack(t *testing.T) *stack {
	ctx, cancel := context.WithCancel(context.Background())
	dev, err := pipeline.StartDev(ctx, pipeline.DevOptions{Dir: t.TempDir(), BrokerAddr: "127.0.0.1:0", RegistryAddr: "127.0.0.1:0",
		HTTPAddr: "127.0.0.1:0", Targets: stackTargets, Durability: pipeline.DurabilityProcess})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = dev.Close()
	})
	return &stack{t, map[string]string{"STRIPELINE_BROKERS": dev.BrokerAddr(), "STRIPELINE_REGISTRY": dev.RegistryURL()}}
}

// run runs a verb and gives its exit code and what it complained of.
func (s *stack) run(ctx context.Context, streams stdio, args ...string) (int, string) {
	var errs bytes.Buffer
	streams.err = &errs
	if streams.out == nil {
		streams.out = io.Discard
	}
	a := newApp(streams, func(name string) (string, bool) { v, ok := s.env[name]; return v, ok })
	return a.execute(ctx, args), errs.String()
}

// onceRead tells when a verb reads its input for the nth time.
type onceRead struct {
	io.Reader
	left int
	then func()
}

func (r *onceRead) Read(b []byte) (int, error) {
	if r.left--; r.left == 0 {
		r.then()
	}
	return r.Reader.Read(b)
}

// TestInterruptedPutLeavesNothing interrupts a put whose input is silent, ends in the same moment, or goes on for ever.
func TestInterruptedPutLeavesNothing(t *testing.T) {
	s := newStack(t)
	was := filepath.Join(t.TempDir(), "was")
	write(t, was, "what was there")
	if code, errs := s.run(t.Context(), stdio{}, "put", was, "/v/f"); code != 0 {
		t.Fatal(errs)
	}
	silent, writer := io.Pipe()
	defer writer.Close()
	for name, in := range map[string]*onceRead{
		"silent":  {Reader: silent, left: 1},
		"ended":   {Reader: strings.NewReader(""), left: 1},
		"endless": {Reader: endless{}, left: 100},
	} {
		for _, path := range []string{"/v/f", "/v/new"} {
			ctx, cancel := context.WithCancelCause(t.Context())
			in := *in
			in.then = func() { cancel(errInterrupted) }
			code, errs := s.run(ctx, stdio{in: &in}, "put", "-", path)
			cancel(nil)
			if code != exitInterrupted || errs != "stripeline: interrupted\n" {
				t.Errorf("%s input, %s: exit %d, %q", name, path, code, errs)
			}
		}
	}
	var out bytes.Buffer
	if code, errs := s.run(t.Context(), stdio{out: &out}, "stat", "/v/f", "--json"); code != 0 || !strings.Contains(out.String(), `"opens":[]`) {
		t.Errorf("stat: %s %s", errs, out.String())
	}
	out.Reset()
	if code, _ := s.run(t.Context(), stdio{out: &out}, "get", "/v/f", "-"); code != 0 || out.String() != "what was there" {
		t.Errorf("get: exit %d, %q", code, out.String())
	}
	if code, _ := s.run(t.Context(), stdio{}, "stat", "/v/new"); code != exitFailed {
		t.Errorf("something is left under a path that was never committed: stat exits %d", code)
	}
}

// endless is an input without end.
type endless struct{}

// Read gives zeros.
func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestInterruptedGetLeavesNothing interrupts a get whose destination has content.
func TestInterruptedGetLeavesNothing(t *testing.T) {
	s := newStack(t)
	dir := t.TempDir()
	source, destination := filepath.Join(dir, "source"), filepath.Join(dir, "kept")
	write(t, source, strings.Repeat("0123456789abcdef", 1<<20))
	write(t, destination, "kept")
	if code, errs := s.run(t.Context(), stdio{}, "put", source, "/v/f"); code != 0 {
		t.Fatal(errs)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stop := make(chan struct{})
	go func() { // once the temporary file is there, the get is in its middle
		defer close(stop)
		for ctx.Err() == nil {
			if parts, _ := filepath.Glob(filepath.Join(dir, ".*.part")); len(parts) > 0 {
				cancel(errInterrupted)
			}
		}
	}()
	code, errs := s.run(ctx, stdio{}, "get", "/v/f", destination)
	cancel(nil)
	<-stop
	if code != exitInterrupted || errs != "stripeline: interrupted\n" {
		t.Errorf("exit %d, %q", code, errs)
	}
	kept, err := os.ReadFile(destination)
	if err != nil || string(kept) != "kept" {
		t.Errorf("the old file is %q, %v", kept, err)
	}
	if parts, _ := filepath.Glob(filepath.Join(dir, ".*.part")); len(parts) > 0 {
		t.Errorf("left: %v", parts)
	}
}
