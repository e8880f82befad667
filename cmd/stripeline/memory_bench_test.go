package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkMemory puts and reads a file of STRIPELINE_BENCH_GIB (4) GiB and sends a long CSV file, and prints peak memory
// in MiB: of dev under that, of dev that was killed with -9 and started again and read from, and of `produce csv`.
func BenchmarkMemory(b *testing.B) {
	gib, err := strconv.Atoi(os.Getenv("STRIPELINE_BENCH_GIB"))
	if err != nil {
		gib = 4
	}
	binary, dir := buildBinary(b), b.TempDir()
	big, rows := filepath.Join(dir, "big"), filepath.Join(dir, "rows.csv")
	fillFile(b, big, gib)
	fillRows(b, rows, 2_000_000)
	for b.Loop() {
		data := filepath.Join(dir, "data")
		ports := [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"}
		dev := startProcess(b, binary, devArgs(data, ports)...)
		flags := []string{"--brokers", dev.facts["broker"].(string), "--registry", dev.facts["registry"].(string)}
		mustRun(b, binary, append([]string{"put", big, "/big"}, flags...)...)
		mustRun(b, binary, append([]string{"get", "/big", "/dev/null"}, flags...)...)
		b.ReportMetric(peak(b, dev.cmd.Process.Pid), "dev-MiB")
		dev.kill()
		dev = startProcess(b, binary, devArgs(data, ports)...)
		flags = []string{"--brokers", dev.facts["broker"].(string), "--registry", dev.facts["registry"].(string)}
		mustRun(b, binary, append([]string{"get", "/big", "/dev/null"}, flags...)...)
		b.ReportMetric(peak(b, dev.cmd.Process.Pid), "dev-after-kill-MiB")
		mustRun(b, binary, append([]string{"topic", "create", "rows"}, flags...)...)
		mustRun(b, binary, append([]string{"schema", "register", "rows-value", filepath.Join(dir, "rows.avsc")}, flags...)...)
		produce := mustRun(b, binary, append([]string{"produce", "csv", rows, "--topic", "rows"}, flags...)...)
		b.ReportMetric(produce, "produce-csv-MiB")
		dev.kill()
	}
}

// fillFile writes gib GiB that do not compress.
func fillFile(b *testing.B, name string, gib int) {
	b.Helper()
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	source, buffer := rand.NewChaCha8([32]byte{9}), make([]byte, 1<<20)
	for range gib << 10 {
		_, _ = source.Read(buffer)
		if _, err := file.Write(buffer); err != nil {
			b.Fatal(err)
		}
	}
}

// fillRows writes as it goes: what this process has had resident counts for those that it starts.
func fillRows(b *testing.B, name string, count int) {
	b.Helper()
	file, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	text := bufio.NewWriter(file)
	text.WriteString("id,name,amount\n")
	for i := range count {
		fmt.Fprintf(text, "%d,row number %d,%d.5\n", i, i, i%1000)
	}
	if err := text.Flush(); err != nil {
		b.Fatal(err)
	}
	schema := `{"type":"record","name":"Row","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"},{"name":"amount","type":"double"}]}`
	if err := os.WriteFile(strings.TrimSuffix(name, ".csv")+".avsc", []byte(schema), 0o644); err != nil {
		b.Fatal(err)
	}
}

// mustRun runs the program and gives its peak memory in MiB.
func mustRun(b *testing.B, binary string, args ...string) float64 {
	b.Helper()
	cmd := exec.Command(binary, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("this system does not say how much memory a process used")
	}
	return float64(usage.Maxrss) / 1024 // Linux counts KiB
}

// peak gives the most memory that a running process ever had resident, in MiB.
func peak(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}
