package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// buildBinary builds the program as a user has it.
func buildBinary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stripeline")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// process is a running `stripeline dev` or `worker`, started by the test.
type process struct {
	cmd   *exec.Cmd
	facts map[string]any
	errs  *bytes.Buffer
}

// startProcess starts the program and waits for the first line that it prints.
func startProcess(t testing.TB, binary string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary, append(args, "--json")...), errs: &bytes.Buffer{}}
	p.cmd.Stderr = p.errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		p.kill()
		t.Fatalf("%s ended before it said anything: %s", strings.Join(args, " "), p.errs)
	}
	_ = json.Unmarshal(line, &p.facts)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// devArgs are those of a stack in a directory, on the ports of an earlier start.
func devArgs(dir string, ports [3]string) []string {
	return []string{"dev", "--data", dir, "--listen", ports[0], "--registry-listen", ports[1], "--http", ports[2]}
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		response, err := http.Get(url + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s is not ready: %v", url, err)
		}
	}
}

// killed is a loop of puts that goes on while what it talks to is killed.
type killed struct {
	t       *testing.T
	binary  string
	flags   []string
	dir     string
	written map[string]string // path in the catalog -> file of this machine
	count   int
	done    chan struct{} // a put has returned
}

// put writes one more file; only what returned 0 must read back.
func (k *killed) put(ctx context.Context) {
	name := filepath.Join(k.dir, fmt.Sprintf("file-%d", k.count))
	b := make([]byte, 1+rand.IntN(3<<20))
	_, _ = rand.NewChaCha8([32]byte{byte(k.count)}).Read(b)
	if err := os.WriteFile(name, b, 0o644); err != nil {
		k.t.Error(err)
		return
	}
	path := fmt.Sprintf("/loop/%d", k.count)
	k.count++
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute) // as long as awaitPuts waits
	defer cancel()
	began := time.Now()
	out, err := exec.CommandContext(ctx, k.binary, append([]string{"put", name, path}, k.flags...)...).CombinedOutput()
	if err != nil {
		k.t.Logf("put %s after %v: %v: %s", path, time.Since(began).Round(time.Millisecond), err, out)
		return
	}
	k.written[path] = name
	select {
	case k.done <- struct{}{}:
	default:
	}
}

// awaitPuts waits for so many puts to return from now on.
func (k *killed) awaitPuts(count int) {
	for range count {
		select {
		case <-k.done:
		case <-time.After(3 * time.Minute):
			k.t.Error("no put returned for 3 minutes")
			return
		}
	}
}

// goesOn puts one more file in each of eight volumes: whatever was killed, no partition may be stuck behind it.
func (k *killed) goesOn() {
	k.t.Helper()
	name := filepath.Join(k.dir, "after")
	if err := os.WriteFile(name, []byte("after the last kill"), 0o644); err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for i := range 8 {
		path := fmt.Sprintf("/after-%d/file", i)
		if out, err := exec.CommandContext(ctx, k.binary, append([]string{"put", name, path}, k.flags...)...).CombinedOutput(); err != nil {
			k.t.Errorf("put %s after the last kill: %v: %s", path, err, out)
			continue
		}
		k.written[path] = name
	}
}

func (k *killed) readBack() {
	k.t.Helper()
	k.goesOn()
	if len(k.written) <= 8 {
		k.t.Fatal("no put ever returned: the test shows nothing")
	}
	for path, name := range k.written {
		copied := filepath.Join(k.dir, "copy")
		out, err := exec.Command(k.binary, append([]string{"get", path, copied}, k.flags...)...).CombinedOutput()
		if err != nil {
			k.t.Errorf("get %s: %v: %s", path, err, out)
			continue
		}
		want, _ := os.ReadFile(name)
		got, _ := os.ReadFile(copied)
		if !bytes.Equal(got, want) {
			k.t.Errorf("%s: %d bytes read back that differ from the %d put", path, len(got), len(want))
		}
	}
}

// during runs puts until the killing is over.
func (k *killed) during(killing func()) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			k.put(ctx)
		}
	}()
	killing()
	stop()
	<-ended
}

func TestKilledDevLosesNothingThatWasAcked(t *testing.T) {
	binary, dir := buildBinary(t), t.TempDir()
	data := filepath.Join(dir, "data")
	first := startProcess(t, binary, devArgs(data, [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})...)
	text := func(name string) string { s, _ := first.facts[name].(string); return s }
	ports := [3]string{text("broker"), strings.TrimPrefix(text("registry"), "http://"), strings.TrimPrefix(text("http"), "http://")}
	k := &killed{t: t, binary: binary, dir: dir, written: map[string]string{}, done: make(chan struct{}),
		flags: []string{"--brokers", ports[0], "--registry", "http://" + ports[1]}}
	k.during(func() {
		dev := first
		for range 10 {
			awaitReady(t, "http://"+ports[2])
			<-time.After(time.Duration(200+rand.IntN(1500)) * time.Millisecond)
			dev.kill()
			dev = startProcess(t, binary, devArgs(data, ports)...)
		}
		awaitReady(t, "http://"+ports[2])
	})
	t.Logf("%d of %d puts returned before, between and after 10 kills", len(k.written), k.count)
	k.readBack()
}

func TestKilledWorkerLosesNothingThatWasAcked(t *testing.T) {
	binary, dir := buildBinary(t), t.TempDir()
	dev := startProcess(t, binary, devArgs(filepath.Join(dir, "data"), [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})...)
	flags := []string{"--brokers", dev.facts["broker"].(string), "--registry", dev.facts["registry"].(string)}
	args := []string{"worker", "--http", "127.0.0.1:0"}
	for i := range 9 {
		target := filepath.Join(dir, fmt.Sprintf("target-%d", i))
		if err := os.Mkdir(target, 0o755); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--target", target)
	}
	k := &killed{t: t, binary: binary, dir: dir, written: map[string]string{}, done: make(chan struct{}), flags: flags}
	k.during(func() {
		for range 3 {
			worker := startProcess(t, binary, append(args, flags...)...)
			k.awaitPuts(1 + rand.IntN(8))
			worker.kill()
			k.awaitPuts(1)
		}
	})
	t.Logf("%d of %d puts returned before, between and after 3 kills", len(k.written), k.count)
	k.readBack()
}
