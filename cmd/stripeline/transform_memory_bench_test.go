package main

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkTransformMemory maps a topic of two million rows in a process of its own and prints its peak memory in MiB, at least once and exactly once.
func BenchmarkTransformMemory(b *testing.B) {
	binary, dir := buildBinary(b), b.TempDir()
	rows, mapping, schema := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "map.yaml"), filepath.Join(dir, "rows.avsc")
	fillRows(b, rows, 2_000_000)
	if err := os.WriteFile(mapping, []byte("fields:\n  id: row.id + 1\n  name: row.name\n  amount: row.amount * 2.0\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	dev := startProcess(b, binary, devArgs(filepath.Join(dir, "data"), [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})...)
	defer dev.kill()
	run := func(args ...string) float64 {
		return mustRun(b, binary, append(args, "--brokers", dev.facts["broker"].(string), "--registry", dev.facts["registry"].(string))...)
	}
	for _, topic := range []string{"rows", "mapped", "exact"} {
		run("topic", "create", topic)
		run("schema", "register", topic+"-value", schema)
	}
	run("produce", "csv", rows, "--topic", "rows")
	for b.Loop() {
		b.ReportMetric(run("transform", "--from", "rows", "--to", "mapped", "--map", mapping, "--to-end"), "transform-MiB")
		b.ReportMetric(run("transform", "--from", "rows", "--to", "exact", "--map", mapping, "--to-end", "--exactly-once"), "exactly-once-MiB")
	}
}
