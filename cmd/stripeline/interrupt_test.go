package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// watched is a writer that calls seen once text has been written to it.
type watched struct {
	mu   sync.Mutex
	all  bytes.Buffer
	text string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if w.seen != nil && strings.Contains(w.all.String(), w.text) {
		w.seen()
		w.seen = nil
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// TestInterruptPrintsTheSummaryAndExits130 interrupts produce and consume in the middle of their work.
func TestInterruptPrintsTheSummaryAndExits130(t *testing.T) {
	brokers := strings.Join(brokertest.Fake(t).ListenAddrs(), ",")
	env := map[string]string{
		"STRIPELINE_BROKERS":  brokers,
		"STRIPELINE_REGISTRY": serveRegistry(t, brokertest.Connect(t, kafka.Config{Brokers: []string{brokers}})),
	}
	dir := t.TempDir()
	schema := filepath.Join(dir, "s.avsc")
	write(t, schema, `{"type":"record","name":"s","fields":[{"name":"id","type":"long"}]}`)
	run := func(ctx context.Context, in io.Reader, out io.Writer, args ...string) (int, string) {
		var errs bytes.Buffer
		a := newApp(stdio{in: in, out: out, err: &errs}, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		return a.execute(ctx, args), errs.String()
	}
	for _, args := range [][]string{
		{"topic", "create", "s"}, {"schema", "register", "s-value", schema},
	} {
		if code, errs := run(t.Context(), nil, io.Discard, args...); code != 0 {
			t.Fatalf("%v: %d %s", args, code, errs)
		}
	}
	inbox := filepath.Join(dir, "in")
	if err := os.Mkdir(inbox, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(inbox, "a.csv"), "id\n7\nx\n")
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() { _, _ = io.WriteString(writer, "id\n1\n2\n3\n") }()
	for _, c := range []struct {
		args     []string
		seen     string
		want     string
		complain string
	}{
		{[]string{"produce", "csv", "-", "--topic", "s", "--acks"}, "1\t", "s: 3 rows read, 3 acked, 0 rejects", "stripeline: interrupted\n"},
		{[]string{"produce", "csv", "--watch", inbox, "--topic", "s"}, "moved to", "s: 2 rows read, 1 acked, 1 rejects", "stripeline: interrupted\n"},
		{[]string{"consume", "--topic", "s", "--follow", "-o", "json"}, `{"id":3}`, `{"id":1}`, "stripeline: interrupted\n"},
		{[]string{"consume", "--topic", "s", "--group", "g", "-o", "json"}, `{"id":3}`, `{"id":1}`, "stripeline: interrupted\n"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		out := &watched{text: c.seen, seen: func() { cancel(errInterrupted) }}
		code, errs := run(ctx, reader, out, c.args...)
		if code != exitInterrupted || errs != c.complain || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: exit %d, %q, printed %q", c.args, code, errs, out.String())
		}
		cancel(nil)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
