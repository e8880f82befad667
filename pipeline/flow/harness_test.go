package flow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// patience bounds every wait of these tests; it is long, as machines are slow, and never the measure of anything.
const (
	patience = 30 * time.Second
	glance   = 200 * time.Millisecond // between looks at what has no event of its own
)

// within gives a context that ends with the test or with our patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func logger() *slog.Logger {
	if os.Getenv("STRIPELINE_TEST_LOG") == "" {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// write produces n records with the values "<prefix>-<i>" and keys "<i>" to partitions in turn.
func write(t testing.TB, c *kafka.Cluster, topic string, partitions, from, n int) {
	t.Helper()
	p, err := c.NewProducer(kafka.ProducerConfig{Manual: []string{topic}, MaxBatch: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var mu sync.Mutex
	var errs []error
	for i := from; i < from+n; i++ {
		p.Produce(within(t), &kafka.Record{
			Topic: topic, Partition: int32(i % partitions), Key: []byte(strconv.Itoa(i)), Value: []byte(fmt.Sprintf("value-%d", i)),
		}, func(_ *kafka.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	if err := p.Flush(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// read gives all records of a topic up to its stable ends, read committed.
func read(t testing.TB, c *kafka.Cluster, topic string) []*kafka.Record {
	t.Helper()
	ctx := within(t)
	starts, ends, err := c.Ends(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[int32]int64{}
	for p := range ends {
		if starts[p] < ends[p] {
			offsets[int32(p)] = starts[p]
		}
	}
	if len(offsets) == 0 {
		return nil
	}
	r, err := c.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: offsets})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all []*kafka.Record
	for {
		behind := false
		for p := range offsets {
			behind = behind || r.Position(p) < ends[p]
		}
		if !behind {
			return all
		}
		records, err := r.Poll(ctx)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
}

// runner is any link.
type runner interface {
	Run(context.Context, *kafka.Cluster, *flow.Observer) error
}

// running is a link under way.
type running struct {
	stop context.CancelFunc
	done chan error
	gone context.Context // ends with Run
	o    *flow.Observer
}

// start runs a link until the test ends or stop is called.
func start(t testing.TB, c *kafka.Cluster, link runner) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	gone, ended := context.WithCancel(context.Background())
	r := &running{cancel, make(chan error, 1), gone, flow.NewObserver()}
	go func() {
		err := link.Run(ctx, c, r.o)
		if err != nil {
			t.Log("link ended:", err)
		}
		r.done <- err
		ended()
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-r.done:
			r.done <- err
		case <-time.After(patience):
			t.Error("link does not end")
		}
	})
	return r
}

// end stops the link and gives what Run returned.
func (r *running) end(t testing.TB) error {
	t.Helper()
	r.stop()
	return r.result(t)
}

func (r *running) result(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-within(t).Done():
		t.Fatal("link does not end")
		return nil
	}
}

// await waits until the link is as it shall be.
func (r *running) await(t testing.TB, what string, as func(flow.LinkStatus) bool) flow.LinkStatus {
	t.Helper()
	var last flow.LinkStatus
	ctx, cancel := context.WithCancel(within(t))
	defer context.AfterFunc(r.gone, cancel)()
	defer cancel()
	err := r.o.Await(ctx, func(all []flow.LinkStatus) bool {
		for _, s := range all {
			last = s
			if as(s) {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatalf("waiting until %s: %v; link is %+v", what, err, last)
	}
	return last
}

// awaitCommits waits until a group has committed a topic to its end. It asks the brokers, again and again: real ones apply the commits of a transaction
// some time after they have told the link that it is done, and tell nobody.
func awaitCommits(t testing.TB, c *kafka.Cluster, r *running, group, topic string) {
	t.Helper()
	ctx := within(t)
	_, ends, err := c.Ends(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	for {
		commits, err := c.Committed(ctx, group, topic)
		if err != nil {
			t.Fatal(err)
		}
		if reached(commits, ends) {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-r.gone.Done():
			t.Fatal("link ended before everything was committed")
		case <-ctx.Done():
			t.Fatalf("waiting until everything is committed: commits %v, ends %v", commits, ends)
		}
	}
}

func reached(commits map[int32]kafka.Mark, ends []int64) bool {
	for p, end := range ends {
		if end > 0 && commits[int32(p)].Offset < end {
			return false
		}
	}
	return true
}

// cable is a network that can be pulled out: from then on its client is as good as dead, though it does not know.
type cable struct {
	mu    sync.Mutex
	out   bool
	conns []net.Conn
}

var errPulled = errors.New("cable is out")

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return nil, errPulled
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = false
}

// connect gives a cluster with the test's log.
func connect(t testing.TB, cfg kafka.Config) *kafka.Cluster {
	t.Helper()
	cfg.Logger = logger()
	return brokertest.Connect(t, cfg)
}
