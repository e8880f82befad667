package embedded

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// dirEnv makes TestBrokerProcess a broker over the directory that it names.
const dirEnv = "STRIPELINE_TEST_EMBEDDED_DIR"

// TestBrokerProcess is the process that TestKilledBrokerLosesNothing kills; on its own it has nothing to do.
func TestBrokerProcess(t *testing.T) {
	dir := os.Getenv(dirEnv)
	if dir == "" {
		return
	}
	b, err := Start(t.Context(), Options{
		Dir: dir, Addr: "127.0.0.1:0", Tidy: time.Millisecond, CompactBytes: 1000,
		Topics: append(with("t", "cleanup.policy", "compact"), one("u")...),
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("addr", b.Addr())
	select {}
}

// process starts a broker of its own and gives its address and how to kill it.
func process(t *testing.T, dir string) (addr string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBrokerProcess$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), dirEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "addr "); ok {
			return addr, kill
		}
	}
	kill()
	t.Fatalf("no broker: %s", lines.Text())
	return "", nil
}

// number is the value of a record of the kill test.
func number(t *testing.T, value string) int {
	t.Helper()
	n, err := strconv.Atoi(value[1:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKilledBrokerLosesNothing(t *testing.T) {
	dir := t.TempDir()
	acked := -1 // the highest number whose transaction has been committed, and whose plain record acked
	next := 0
	for round := range 6 {
		addr, kill := process(t, dir)
		b := &Broker{gate: &gate{addr: advertised(addr)}}
		tx, plain := writer(t, b), dial(t, b)
		enough := acked + 20 + 7*round
		for acked < enough {
			write(t, tx, kgo.TryCommit, fmt.Sprintf("a%d", next), fmt.Sprintf("b%d", next))
			if err := plain.ProduceSync(t.Context(), &kgo.Record{Topic: "u", Value: fmt.Appendf(nil, "u%d", next)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			acked, next = next, next+1
		}
		// What follows is killed wherever it stands.
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 100 {
			plain.Produce(ctx, &kgo.Record{Topic: "t", Key: []byte("c"), Value: fmt.Appendf(nil, "c%d", i)}, nil)
		}
		kill()
		cancel()
		tx.Close()
		plain.Close()
	}
	b := open(t, Options{Dir: dir})
	last := map[string]int{"a": -1, "b": -1}
	for _, v := range read(t, b, 0) {
		last[v[:1]] = number(t, v)
	}
	if last["a"] != acked || last["b"] != acked {
		t.Errorf("the compacted topic ends with %v, want %d", last, acked)
	}
	if _, end := span(t, b, "u"); end < int64(acked) {
		t.Errorf("%d plain records, %d were acked", end, acked+1)
	}
}
