package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// groupKills is a stack whose transforms and file sinks are killed.
type groupKills struct {
	t      *testing.T
	binary string
	dir    string
	flags  []string
	rows   int
}

func (k *groupKills) run(args ...string) []byte {
	k.t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(k.binary, append(args, k.flags...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		k.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

// more produces n further rows, numbered on.
func (k *groupKills) more(n int) {
	k.t.Helper()
	var text strings.Builder
	text.WriteString("id,name\n")
	for range n {
		fmt.Fprintf(&text, "%d,name-%d\n", k.rows, k.rows)
		k.rows++
	}
	name := filepath.Join(k.dir, fmt.Sprintf("rows-%d.csv", k.rows))
	if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
		k.t.Fatal(err)
	}
	k.run("produce", "csv", name, "--topic", "in", "--key", "id")
}

// killedAfter starts the program and kills it (SIGKILL) a random while later.
func (k *groupKills) killedAfter(args []string) (wait func()) {
	cmd := exec.Command(k.binary, append(args, k.flags...)...)
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(100+rand.IntN(1400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	return func() {
		_ = cmd.Wait()
		timer.Stop()
	}
}

// each1 checks that every row is in lines of JSON exactly once.
func (k *groupKills) each1(what string, lines []byte) {
	k.t.Helper()
	seen := make(map[int]int)
	for scan := bufio.NewScanner(bytes.NewReader(lines)); scan.Scan(); {
		var row struct{ ID int }
		if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
			k.t.Fatalf("%s: %s: %v", what, scan.Bytes(), err)
		}
		seen[row.ID]++
	}
	lost, doubled := 0, 0
	for id := range k.rows {
		if seen[id] == 0 {
			lost++
		}
		doubled += max(0, seen[id]-1)
	}
	k.t.Logf("%s: %d rows, %d lost, %d doubled", what, k.rows, lost, doubled)
	if lost > 0 || doubled > 0 || len(seen) != k.rows {
		k.t.Errorf("%s: %d of %d rows, %d lost, %d doubled", what, len(seen), k.rows, lost, doubled)
	}
}

func TestKilledTransformsAndFileSinksLoseAndDoubleNothing(t *testing.T) {
	k := &groupKills{t: t, binary: buildBinary(t), dir: t.TempDir()}
	dev := startProcess(t, k.binary, devArgs(filepath.Join(k.dir, "data"), [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})...)
	k.flags = []string{"--brokers", dev.facts["broker"].(string), "--registry", dev.facts["registry"].(string)}
	schema, mapping, files := filepath.Join(k.dir, "row.avsc"), filepath.Join(k.dir, "map.yaml"), filepath.Join(k.dir, "files")
	for name, text := range map[string]string{
		schema:  `{"type":"record","name":"row","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]}`,
		mapping: "fields:\n  id: row.id\n  name: row.name + '!'\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{"in-value", "out-value"} {
		k.run("schema", "register", subject, schema)
	}
	k.run("topic", "create", "in", "out", "--partitions", "4")
	transform := []string{"transform", "--from", "in", "--to", "out", "--map", mapping, "--exactly-once"}
	sink := []string{"consume", "--topic", "in", "--dir", files, "-o", "json", "--roll-rows", "300"}
	for range 5 {
		var waits []func()
		for _, args := range [][]string{transform, transform, sink, sink} {
			waits = append(waits, k.killedAfter(args))
		}
		k.more(4000)
		for _, wait := range waits {
			wait()
		}
	}
	k.run(append(transform, "--to-end")...)
	k.each1("transform --exactly-once", k.run("consume", "--topic", "out", "-o", "json"))
	k.run(append(sink, "--to-end")...)
	var all []byte
	names, _ := filepath.Glob(filepath.Join(files, "in-*.json"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	k.each1(fmt.Sprintf("consume --dir, %d files", len(names)), all)
}
