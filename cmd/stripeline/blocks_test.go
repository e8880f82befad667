package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"stripeline/pipeline"
)

// stackTargets is enough for the default policy.
const stackTargets = 9

// TestBlockScripts runs what a person types in the block journey: each script has a whole stack of its own, on free ports.
// $TARGETS is the directory of its targets, $HTTP the address of its metrics.
func TestBlockScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/blocks",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               startStack,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "lose": loseTargets, "bytes": makeBytes, "occupy": occupy, "absent": absent,
		},
	})
}

func startStack(env *testscript.Env) error {
	dir := filepath.Join(env.WorkDir, ".stack")
	ctx, cancel := context.WithCancel(context.Background())
	dev, err := pipeline.StartDev(ctx, pipeline.DevOptions{Dir: dir, BrokerAddr: "127.0.0.1:0", RegistryAddr: "127.0.0.1:0",
		HTTPAddr: "127.0.0.1:0", Targets: stackTargets, Durability: pipeline.DurabilityProcess})
	if err != nil {
		cancel()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	env.Defer(func() {
		cancel()
		<-ended
		_ = dev.Close()
	})
	env.Setenv("STRIPELINE_BROKERS", dev.BrokerAddr())
	env.Setenv("STRIPELINE_REGISTRY", dev.RegistryURL())
	env.Setenv("HTTP", dev.HTTPAddr())
	env.Setenv("TARGETS", filepath.Join(dir, "targets"))
	return nil
}

// loseTargets removes the shards of the first targets: lose COUNT.
func loseTargets(ts *testscript.TestScript, neg bool, args []string) {
	count, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: lose COUNT")
	}
	for i := range count {
		shards, err := filepath.Glob(filepath.Join(ts.Getenv("TARGETS"), fmt.Sprintf("%02d", i+1), "??", "*.shard"))
		ts.Check(err)
		for _, path := range shards {
			ts.Check(os.Remove(path))
		}
	}
}

// makeBytes makes a file: bytes NAME LENGTH.
func makeBytes(ts *testscript.TestScript, neg bool, args []string) {
	length, err := strconv.Atoi(args[1])
	if neg || err != nil {
		ts.Fatalf("usage: bytes NAME LENGTH")
	}
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// occupy takes a port and names it in the environment: occupy NAME.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv(args[0], listener.Addr().String())
}

// absent fails when a file is there whose name matches a pattern: absent PATTERN.
func absent(ts *testscript.TestScript, neg bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if neg || len(found) > 0 {
		ts.Fatalf("there is %v", found)
	}
}
