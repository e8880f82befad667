package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

// patience bounds every wait for an event.
const patience = 20 * time.Second

func open(t *testing.T, o Options) *Broker {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Tidy == 0 {
		o.Tidy = time.Hour
	}
	b, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func shut(t *testing.T, b *Broker) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.Addr()), kgo.ProducerLinger(0), kgo.FetchMaxWait(100 * time.Millisecond), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableClientMetrics(),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// fill produces n records, each its own batch, into partition 0.
func fill(t *testing.T, b *Broker, topic string, n int) {
	t.Helper()
	cl := dial(t, b)
	defer cl.Close()
	for i := range n {
		r := &kgo.Record{Topic: topic, Key: []byte("k"), Value: fmt.Appendf(make([]byte, 100), "value %d", i)}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// span is the first offset of partition 0 and the one behind the last.
func span(t *testing.T, b *Broker, topic string) (start, end int64) {
	t.Helper()
	adm := kadm.NewClient(dial(t, b))
	starts, err := adm.ListStartOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	ends, err := adm.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := starts.Lookup(topic, 0)
	e, _ := ends.Lookup(topic, 0)
	if err := errors.Join(s.Err, e.Err); err != nil {
		t.Fatal(err)
	}
	return s.Offset, e.Offset
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatal("never: " + what)
		case <-tick.C:
		}
	}
}

// crash copies the directory of a running broker as kill -9 would leave it.
func crash(t *testing.T, b *Broker) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(b.opts.Dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func one(name string) []Topic { return []Topic{{Name: name, Partitions: 1}} }

func TestStartMakesMissingTopics(t *testing.T) {
	dir := t.TempDir()
	shut(t, open(t, Options{Dir: dir, Topics: one("first")}))
	b := open(t, Options{Dir: dir, Topics: append(one("first"), one("second")...)})
	found, err := kadm.NewClient(dial(t, b)).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if names := strings.Join(found.Names(), " "); names != "first second" {
		t.Fatalf("topics %q, want first and second", names)
	}
}

func TestRecordsSurvive(t *testing.T) {
	b := open(t, Options{Topics: one("t"), SyncWrites: true})
	if b.LastStop() != StopNone {
		t.Fatalf("last stop %q of a new directory", b.LastStop())
	}
	fill(t, b, "t", 10)
	dead := crash(t, b)
	shut(t, b)
	shut(t, b)
	for dir, stop := range map[string]Stop{dead: StopCrash, b.opts.Dir: StopClean} {
		again := open(t, Options{Dir: dir})
		if again.LastStop() != stop {
			t.Errorf("last stop %q, want %q", again.LastStop(), stop)
		}
		if s, e := span(t, again, "t"); s != 0 || e != 10 {
			t.Errorf("after %s: offsets [%d, %d), want [0, 10)", stop, s, e)
		}
	}
}

func TestDirectoryHasOneOwner(t *testing.T) {
	b := open(t, Options{})
	info, err := os.Stat(b.opts.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v: want 0700", info.Mode(), err)
	}
	_, err = Start(t.Context(), Options{Dir: b.opts.Dir, Addr: "127.0.0.1:0"})
	oneLine(t, err, ErrLocked, fmt.Sprint("process ", os.Getpid()))
	shut(t, b)
	open(t, Options{Dir: b.opts.Dir})
}

func TestBadStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: file, Addr: "127.0.0.1:0"})
	oneLine(t, err, ErrDir, "--data")

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dir := t.TempDir()
	_, err = Start(t.Context(), Options{Dir: dir, Addr: ln.Addr().String()})
	oneLine(t, err, nil, ln.Addr().String()+": bind: address already in use: stop what uses it")
	open(t, Options{Dir: dir})
}

func oneLine(t *testing.T, err, is error, words string) {
	t.Helper()
	if err == nil || is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want %v in one line with %q", err, is, words)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	dir := t.TempDir()
	b := open(t, Options{Dir: dir, Tidy: time.Millisecond, Topics: with("t", "retention.bytes", "100")})
	cl := dial(t, b, kgo.ConsumeTopics("t"))
	fill(t, b, "t", 3)
	if err := cl.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	cl.Close()
	shut(t, b)
	if _, err := Start(t.Context(), Options{Dir: dir, Addr: "nowhere"}); err == nil {
		t.Error("listens nowhere")
	}
	goleak.VerifyNone(t, before)
}

func TestSizes(t *testing.T) {
	b := open(t, Options{Topics: one("t")})
	fill(t, b, "t", 10)
	kept, err := b.Retained("t", "unknown")
	disk, err2 := b.OnDisk()
	if err := errors.Join(err, err2); err != nil || kept < 1000 || disk != kept {
		t.Fatalf("retained %d, on disk %d, %v: want the same, more than 1000", kept, disk, err)
	}
	adm := kadm.NewClient(dial(t, b))
	var to kadm.Offsets
	to.AddOffset("t", 0, 5, -1)
	if _, err := adm.DeleteRecords(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if half, err := b.Retained("t"); err != nil || half*2 != kept {
		t.Errorf("retained %d, %v after half was truncated: want half of %d", half, err, kept)
	}
	shut(t, b)
	if _, err := b.Retained("t"); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
