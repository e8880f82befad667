package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// rowKills is a stack with a file of rows that grows while it is sent by processes which are killed.
type rowKills struct {
	t             *testing.T
	binary, file  string
	config        kafka.Config
	topic, out    string
	flags         []string
	text          []byte // of the file when it is whole
	rows, rejects int
}

// killedRows is how many rows the file has; each 1000th is a reject.
const killedRows = 400_000

func newRowKills(t *testing.T) *rowKills {
	binary, dir := buildBinary(t), t.TempDir()
	topic := brokertest.Name(t)
	k := &rowKills{t: t, binary: binary, file: filepath.Join(dir, "rows.csv"), topic: topic, out: topic + ".out"}
	k.connect(filepath.Join(dir, "data"))
	k.text = []byte("id,name\n")
	for i := range killedRows {
		if i%1000 == 999 {
			k.text = fmt.Appendf(k.text, "bad-%d,x\n", i)
			k.rejects++
			continue
		}
		k.text = fmt.Appendf(k.text, "%d,name of row %d\n", i, i)
		k.rows++
	}
	schema := filepath.Join(dir, "rows.avsc")
	content := `{"type":"record","name":"row","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]}`
	if err := os.WriteFile(schema, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	k.must("topic", "create", k.topic, "--partitions", "4")
	k.must("schema", "register", k.topic+"-value", schema)
	return k
}

// connect starts a stack of the test's own, or a registry on the brokers that tests run against.
func (k *rowKills) connect(dir string) {
	if brokertest.Real() {
		k.config = kafka.Config{Brokers: brokertest.Brokers(k.t), Namespace: brokertest.Name(k.t)}
		brokers := strings.Join(k.config.Brokers, ",")
		registry := startProcess(k.t, k.binary, "registry", "--brokers", brokers, "--namespace", k.config.Namespace, "--listen", "127.0.0.1:0")
		awaitReady(k.t, registry.facts["registry"].(string))
		k.flags = []string{"--brokers", brokers, "--namespace", k.config.Namespace, "--registry", registry.facts["registry"].(string)}
		return
	}
	dev := startProcess(k.t, k.binary, devArgs(dir, [3]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"})...)
	k.config.Brokers = []string{dev.facts["broker"].(string)}
	k.flags = []string{"--brokers", k.config.Brokers[0], "--registry", dev.facts["registry"].(string)}
}

func (k *rowKills) must(args ...string) {
	k.t.Helper()
	if out, err := exec.Command(k.binary, append(args, k.flags...)...).CombinedOutput(); err != nil {
		k.t.Fatalf("%v: %v: %s", args, err, out)
	}
}

// pieceEvery is how often a piece of the file is written.
const pieceEvery = 5 * time.Millisecond

// grow writes the file piece by piece for about that long. The pieces end anywhere in a row.
func (k *rowKills) grow(took time.Duration) (ended chan error) {
	file, err := os.Create(k.file)
	if err == nil {
		_, err = file.Write(k.text[:1000])
	}
	if err != nil {
		k.t.Fatal(err)
	}
	ended = make(chan error, 1)
	go func() {
		ticker := time.NewTicker(pieceEvery)
		defer ticker.Stop()
		size := 1 + len(k.text)/int(took/pieceEvery)
		var err error
		for left := k.text[1000:]; len(left) > 0 && err == nil; <-ticker.C {
			n := min(size, len(left))
			_, err = file.Write(left[:n])
			left = left[n:]
		}
		file.Close()
		ended <- err
	}()
	return ended
}

// kills kills the run n times while it sends the growing file, then lets it end.
func (k *rowKills) kills(n int, args ...string) {
	args = append(append([]string{"produce", "csv", k.file, "--topic", k.topic}, args...), k.flags...)
	grown := k.grow(time.Duration(n) * 600 * time.Millisecond)
	for range n {
		cmd := exec.Command(k.binary, append(args, "--follow")...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			k.t.Fatal(err)
		}
		<-time.After(time.Duration(50+rand.IntN(1100)) * time.Millisecond)
		_ = cmd.Process.Kill()
		if _ = cmd.Wait(); cmd.ProcessState.Exited() {
			k.t.Fatalf("%v ended by itself: %s: %s", args, cmd.ProcessState, &said)
		}
	}
	if err := <-grown; err != nil {
		k.t.Fatal(err)
	}
	out, err := exec.Command(k.binary, args...).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitRejects {
		k.t.Fatalf("the last run: %v: %s", err, out)
	}
	k.t.Logf("the run after the last kill: %s", out)
}

// counts reads a topic read committed and gives how often each row is in it.
func (k *rowKills) counts(topic string, id func(*kgo.Record) int) map[int]int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := kafka.Connect(ctx, k.config)
	if err != nil {
		k.t.Fatal(err)
	}
	defer cluster.Close()
	starts, ends, err := cluster.Ends(ctx, topic)
	if err != nil {
		k.t.Fatal(err)
	}
	from := map[int32]int64{}
	for p, at := range starts {
		from[int32(p)] = at
	}
	reader, err := cluster.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: from})
	if err != nil {
		k.t.Fatal(err)
	}
	defer reader.Close()
	seen := map[int]int{}
	for p := 0; p < len(ends); {
		if reader.Position(int32(p)) >= ends[p] {
			p++
			continue
		}
		records, err := reader.Poll(ctx)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, r := range records {
			seen[id(r)]++
		}
	}
	return seen
}

func rowID(r *kgo.Record) int {
	id, _ := binary.Varint(r.Value[5:])
	return int(id)
}

func rejectID(r *kgo.Record) int {
	var id int
	_, _ = fmt.Sscanf(string(r.Value), "bad-%d,x", &id)
	return id
}

// judge gives how many records are lost and doubled.
func (k *rowKills) judge() (lost, doubled int) {
	rows, rejects := k.counts(k.topic, rowID), k.counts(k.topic+".rejects", rejectID)
	for i := range killedRows {
		n := rows[i]
		if i%1000 == 999 {
			n += rejects[i]
		}
		if n == 0 {
			lost++
		}
		doubled += max(n-1, 0)
	}
	if len(rows) > k.rows || len(rejects) > k.rejects {
		k.t.Errorf("%d different rows and %d rejects, there are %d and %d", len(rows), len(rejects), k.rows, k.rejects)
	}
	return lost, doubled
}

// transforms keeps two members of a transform running, each killed and started again, until ctx ends. It gives how many were killed.
func (k *rowKills) transforms(ctx context.Context, args []string) (killed int) {
	var all sync.WaitGroup
	var count atomic.Int64
	for range 2 {
		all.Go(func() {
			for ctx.Err() == nil {
				lives, end := context.WithTimeout(ctx, time.Duration(300+rand.IntN(2000))*time.Millisecond)
				out, err := exec.CommandContext(lives, k.binary, args...).CombinedOutput() // ended by SIGKILL
				if lives.Err() == nil {
					k.t.Errorf("%v ended by itself: %v: %s", args, err, out)
					end()
					return
				}
				end()
				count.Add(1)
			}
		})
	}
	all.Wait()
	return int(count.Load())
}

// howManyKills is 5, or STRIPELINE_KILLS.
func howManyKills(t *testing.T) int {
	text := os.Getenv("STRIPELINE_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("STRIPELINE_KILLS is %q: give a number", text)
	}
	return n
}

func TestKilledProduceExactlyOnceLeavesEachRowOnce(t *testing.T) {
	k, n := newRowKills(t), howManyKills(t)
	k.kills(n, "--exactly-once")
	lost, doubled := k.judge()
	t.Logf("produce exactly once: %d kills, %d rows: %d lost, %d doubled", n, killedRows, lost, doubled)
	if lost != 0 || doubled != 0 {
		t.Errorf("%d rows lost, %d doubled", lost, doubled)
	}
}

func TestKilledProduceLosesNothing(t *testing.T) {
	k, n := newRowKills(t), howManyKills(t)
	k.kills(n)
	lost, doubled := k.judge()
	t.Logf("produce at least once: %d kills, %d rows: %d lost, %d doubled", n, killedRows, lost, doubled)
	if lost != 0 {
		t.Errorf("%d rows lost", lost)
	}
}

// TestKilledTransformExactlyOnceLeavesEachRowOnce: rows are sent and transformed at once, and all that does so is killed again and again.
func TestKilledTransformExactlyOnceLeavesEachRowOnce(t *testing.T) {
	k, n := newRowKills(t), howManyKills(t)
	k.must("topic", "create", k.out, "--partitions", "3")
	k.must("schema", "register", k.out+"-value", filepath.Join(filepath.Dir(k.file), "rows.avsc"))
	mapping := filepath.Join(filepath.Dir(k.file), "map.yaml")
	if err := os.WriteFile(mapping, []byte("fields:\n  id: row.id\n  name: row.name + '!'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"transform", "--from", k.topic, "--to", k.out, "--map", mapping, "--exactly-once"}, k.flags...)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	killed := make(chan int)
	go func() { killed <- k.transforms(ctx, args) }()
	k.kills(n, "--exactly-once")
	stop()
	dead := <-killed
	if out, err := exec.Command(k.binary, append(args, "--to-end")...).CombinedOutput(); err != nil {
		t.Fatalf("the last transform: %v: %s", err, out)
	}
	rows := k.counts(k.out, rowID)
	lost, doubled := 0, 0
	for i := range killedRows {
		if i%1000 == 999 {
			continue
		}
		if rows[i] == 0 {
			lost++
		}
		doubled += max(rows[i]-1, 0)
	}
	t.Logf("transform exactly once: %d kills of produce, %d of transform, %d rows: %d lost, %d doubled", n, dead, k.rows, lost, doubled)
	if lost != 0 || doubled != 0 || len(rows) != k.rows || dead == 0 {
		t.Errorf("%d rows lost, %d doubled, %d are there, want %d; %d killed", lost, doubled, len(rows), k.rows, dead)
	}
}
