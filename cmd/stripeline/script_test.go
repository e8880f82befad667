package main

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/registry"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stripeline": func() { os.Exit(runProcess()) }})
}

// TestScripts runs what a person types: each script has a broker and a registry of its own, which the environment names.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("STRIPELINE_UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			cfg := kafka.Config{Brokers: brokertest.Fake(t).ListenAddrs(), Namespace: "stripeline"}
			env.Setenv("STRIPELINE_BROKERS", strings.Join(cfg.Brokers, ","))
			env.Setenv("STRIPELINE_REGISTRY", serveRegistry(t, brokertest.Connect(t, cfg)))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
	})
}

// TestRegistryScripts runs what a person types against the registry that brokertest names, or one of our own. Its subjects may outlive the test, so that
// the environment gives a name for topics that no other run has: $T.
func TestRegistryScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/registry",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			cfg := kafka.Config{Brokers: brokertest.Fake(t).ListenAddrs(), Namespace: brokertest.Name(t)}
			url := brokertest.Registry()
			if url == "" {
				url = serveRegistry(t, brokertest.Connect(t, cfg))
			}
			env.Setenv("STRIPELINE_BROKERS", strings.Join(cfg.Brokers, ","))
			env.Setenv("STRIPELINE_NAMESPACE", cfg.Namespace)
			env.Setenv("STRIPELINE_REGISTRY", url)
			env.Setenv("T", brokertest.Name(t))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
	})
}

// exits runs a command line and checks its exit code: exits CODE stripeline ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func serveRegistry(t *testing.T, cluster *kafka.Cluster) string {
	r, err := pipeline.OpenRegistry(t.Context(), cluster, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = r.Close()
	})
	return "http://" + listener.Addr().String()
}
