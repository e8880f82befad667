package interoptest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds one run of a client.
const patience = 90 * time.Second

// tools are what need finds: a file that must be there, mostly below .cache where scripts/setup-interop makes it, and the program that uses it.
var tools = map[string]struct{ made, program string }{
	"python":   {".cache/venv/requirements.txt", ".cache/venv/bin/python"},
	"node":     {".cache/node/node_modules/kafkajs/package.json", "node"},
	"java":     {".cache/kafka/lib/.done", "java"},
	"java-3.4": {".cache/kafka-clients/lib/.done", "javac"},
	"curl":     {"scripts/register-schemas", "curl"},
}

// need gives the program of a tool. Without the tool the test ends here: skipped with the reason, or failed where CI=true.
func need(t *testing.T, tool string) string {
	t.Helper()
	root := root(t)
	_, err := os.Stat(filepath.Join(root, tools[tool].made))
	program := tools[tool].program
	if filepath.Base(program) != program {
		program = filepath.Join(root, program)
	}
	if err == nil {
		program, err = exec.LookPath(program)
	}
	switch {
	case err == nil:
		return program
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not set up, and CI=true: run scripts/setup-interop (%v)", tool, err)
	default:
		t.Skipf("skipped: %s is not set up: run scripts/setup-interop (%v)", tool, err)
	}
	return ""
}

// root is the directory of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a client and gives its output; it fails the test with the client's own words.
func run(t *testing.T, stdin, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, words bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(root(t), ".cache/node/node_modules"), "PYTHONWARNINGS=error")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewBufferString(stdin), &out, &words
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", program, args, err, words.String(), out.String())
	}
	return out.String()
}
