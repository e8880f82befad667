package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/progress"
)

// gate is a way to the brokers that can be closed: connections break, and none is made.
type gate struct {
	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
	unsaid atomic.Int64 // how many more ends of transactions are done by the brokers, and their answers lost
}

// errGate is what a dial says where nobody listens; the client tries again after that, and not after just any error.
var errGate = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

func (g *gate) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		conn.Close()
		return nil, errGate
	}
	g.conns[conn] = true
	return &gateConn{Conn: conn, gate: g}, nil
}

// gateConn is a connection through a gate.
type gateConn struct {
	net.Conn
	gate *gate
	cut  atomic.Bool // the next answer is lost
}

// Write looks at the request's key, which is behind its length.
func (c *gateConn) Write(b []byte) (int, error) {
	if len(b) > 6 && binary.BigEndian.Uint16(b[4:]) == uint16(kmsg.EndTxn) && c.gate.unsaid.Load() > 0 {
		c.gate.unsaid.Add(-1)
		c.cut.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *gateConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.cut.Load() {
		c.Conn.Close()
		return 0, errGate
	}
	return n, err
}

func (g *gate) set(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = closed
	if closed {
		for conn := range g.conns {
			conn.Close()
		}
		clear(g.conns)
	}
}

// gated gives the world's brokers behind a gate.
func (w *runs) gated() (*gate, *kafka.Cluster, *RunLog) {
	w.t.Helper()
	g := &gate{conns: map[net.Conn]bool{}}
	cfg := w.config
	cfg.Dial = g.dial
	c := brokertest.Connect(w.t, cfg)
	log, err := OpenRunLog(w.t.Context(), c, w.registry)
	if err != nil {
		w.t.Fatal(err)
	}
	return g, c, log
}

// through makes a production go through a gate.
func through(c *kafka.Cluster, log *RunLog) func(*ProduceCSV) {
	return func(p *ProduceCSV) { p.Cluster, p.Recording.Log = c, log }
}

// rowsOf gives the text of rows with the ids from one number to below another.
func rowsOf(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "%d,n,1\n", i)
	}
	return b.String()
}

// once checks that each id below n is in the topic: once, or at least once where nothing more is promised.
func (w *runs) once(n int) {
	w.t.Helper()
	count := func() (lost, doubled int) {
		out, _ := w.printed(Consume{})
		seen := make([]int, n)
		for line := range strings.Lines(out) {
			var id int
			if _, err := fmt.Sscanf(line, `{"id":%d,`, &id); err != nil || id >= n {
				w.t.Fatalf("%q: %v", line, err)
			}
			seen[id]++
		}
		for _, times := range seen {
			if times == 0 {
				lost++
			}
			doubled += max(0, times-1)
		}
		return lost, doubled
	}
	lost, doubled := count()
	for end := time.Now().Add(10 * time.Second); lost > 0 && time.Now().Before(end); {
		lost, doubled = count() // on a real broker a transaction is visible a moment after it was committed
	}
	if lost > 0 || w.exact && doubled > 0 {
		w.t.Errorf("%d of %d rows lost, %d doubled", lost, n, doubled)
	}
}

// append adds to the file.
func (w *runs) append(text string) {
	w.t.Helper()
	file, err := os.OpenFile(w.name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		_, err = file.WriteString(text)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// fence does what brokers do to a transaction whose producer they have not heard for too long.
func (w *runs) fence(key string) {
	w.t.Helper()
	tx, err := w.cluster.NewTransactor(w.t.Context(), w.cluster.Name("run/"+key))
	if err != nil {
		w.t.Fatal(err)
	}
	tx.Close()
}

// TestRunGoesOnBehindALostTransaction: the transactions of a run that follows a file are dropped, or committed without a word, at many moments.
func TestRunGoesOnBehindALostTransaction(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		if !w.exact {
			return // there are no transactions
		}
		const pieces, rows = 6, 2000
		w.write("id,name,amount\n" + rowsOf(0, rows))
		head, err := os.ReadFile(w.name)
		if err != nil {
			t.Fatal(err)
		}
		begun := progress.Begin(w.topic, ValueSubject(w.topic), "", head)
		g, c, log := w.gated()
		var inTransaction atomic.Int64
		p := w.production(through(c, log), func(p *ProduceCSV) {
			p.CSV.Follow, p.Progress = true, &RowProgress{}
			p.Acked = func(Ack) { inTransaction.Add(1) }
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := p.Run(ctx)
			ended <- err
		}()
		awaitCount(t, &p.Progress.Acked, rows, ended)
		for i := range pieces {
			inTransaction.Store(0)
			if i%3 == 0 {
				g.unsaid.Store(1 + int64(i)%2)
			}
			w.append("bad,n,1\n" + rowsOf(rows+(rows-1)*i, rows+(rows-1)*(i+1)))
			if i%3 > 0 {
				awaitCount(t, &inTransaction, 1+rand.Int64N(rows-1), ended)
				w.fence(begun.Key())
			}
			awaitCount(t, &p.Progress.Acked, int64(rows+(rows-1)*(i+1)), ended)
		}
		awaitCount(t, &p.Progress.Rejects, pieces, ended)
		if read, acked := p.Progress.Rows.Load(), p.Progress.Acked.Load(); read != rows*(pieces+1) || acked != rows+(rows-1)*pieces {
			t.Errorf("%d rows, %d acked", read, acked)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the run has ended with %v", err)
		}
		w.expect(fmt.Sprintf("0 0 [%d %d false]", rows*(pieces+1), pieces))
		w.once(rows + (rows-1)*pieces)
		if rejects := len(w.rejects()); rejects != pieces {
			t.Errorf("%d rejects", rejects)
		}
	})
}

// awaitCount waits until a counter has come to n.
func awaitCount(t *testing.T, counter *atomic.Int64, n int64, ended <-chan error) {
	t.Helper()
	for counter.Load() < n {
		goesOn(t, ended)
		<-time.After(time.Millisecond)
	}
}

// TestRunWaitsForBrokers: connections break in the middle, the wait is seen, and the run goes on by itself.
func TestRunWaitsForBrokers(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		const rows = 200_000
		w.write("id,name,amount\n" + rowsOf(0, rows))
		g, c, log := w.gated()
		p := w.production(through(c, log), func(p *ProduceCSV) { p.Progress = &RowProgress{} })
		p.Acked = func(a Ack) {
			if a.Number == 1000 {
				go g.set(true)
			}
		}
		ended := make(chan error, 1)
		go func() {
			_, err := p.Run(t.Context())
			ended <- err
		}()
		for p.Progress.Waiting() == "" {
			goesOn(t, ended)
			<-time.After(10 * time.Millisecond)
		}
		if what := p.Progress.Waiting(); !strings.HasPrefix(what, "the brokers") {
			t.Errorf("it waits for %q", what)
		}
		g.set(false)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if what := p.Progress.Waiting(); what != "" {
			t.Errorf("it waits for %q after its end", what)
		}
		w.once(rows)
	})
}

// TestTimeoutEndsAWait: what was confirmed is recorded, and the next run goes on there.
func TestTimeoutEndsAWait(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		const rows = 200_000
		w.write("id,name,amount\n" + rowsOf(0, rows))
		g, c, log := w.gated()
		p := w.production(through(c, log), func(p *ProduceCSV) { p.Timeout = 300 * time.Millisecond })
		p.Acked = func(a Ack) {
			if a.Number == 5000 {
				go g.set(true)
			}
		}
		s, err := p.Run(t.Context())
		if !errors.Is(err, ErrGaveUp) || !strings.Contains(err.Error(), "the brokers") || s.Finished {
			t.Fatalf("%+v %v", s, err)
		}
		g.set(false)
		if _, err := w.run(); err != nil {
			t.Fatal(err)
		}
		w.once(rows)
	})
}

// TestATextThatCannotBeReadAgainSaysSo: there is nothing to go on from within the process.
func TestATextThatCannotBeReadAgainSaysSo(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		if !w.exact {
			return
		}
		reader, writer := io.Pipe()
		begun := progress.Begin(w.topic, ValueSubject(w.topic), "piped", nil)
		ended := make(chan error, 1)
		go func() {
			_, err := w.run(func(p *ProduceCSV) { p.Files, p.Recording.Name, p.CSV.Stdin = []string{"-"}, "piped", reader })
			ended <- err
		}()
		if _, err := io.WriteString(writer, recordedText); err != nil {
			t.Fatal(err)
		}
		for len(mustPrint(w)) == 0 {
			goesOn(t, ended)
		}
		w.fence(begun.Key())
		_, _ = io.WriteString(writer, "4,d,4\n")
		if err := <-ended; !errors.Is(err, ErrReadOnce) {
			t.Error(err)
		}
		writer.Close()
		w.expect("1 0 [3 1 false]", func(p *ProduceCSV) {
			p.Files, p.Recording.Name, p.CSV.Stdin = []string{"-"}, "piped", strings.NewReader(recordedText+"4,d,4\n")
		})
		w.await("1 2 4", 9)
	})
}

func TestRejectBounds(t *testing.T) {
	for _, c := range []struct {
		text  string
		most  int64
		share float64
		good  bool
	}{
		{"0", 0, 0, true}, {"25", 25, 0, true}, {"0.5%", 0, 0.5, true}, {"100%", 0, 100, true},
		{"", 0, 0, false}, {"-1", 0, 0, false}, {"%", 0, 0, false}, {"0%", 0, 0, false}, {"101%", 0, 0, false}, {"NaN%", 0, 0, false}, {"1e3", 0, 0, false},
	} {
		most, share, err := ParseRejectBound(c.text)
		if most != c.most || share != c.share || (err == nil) != c.good || err != nil && !errors.Is(err, ErrRejectBound) {
			t.Errorf("%q: %d %g %v", c.text, most, share, err)
		}
	}
}

// TestAShareOfRejectsStopsTheRun: only when it says something, and over all rows of the run.
func TestAShareOfRejectsStopsTheRun(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		share := func(percent float64) func(*ProduceCSV) { return func(p *ProduceCSV) { p.MaxShare = percent } }
		w.write("id,name,amount\nx,n,1\n" + rowsOf(0, 999)) // all rejects come first: 1 of 1000
		w.expect("999 1", share(0.1))
		w.write("id,name,amount\ny,n,1\ny,n,1\n" + rowsOf(0, 5000))
		if got, err := w.run(share(0.1)); !errors.Is(err, ErrTooManyRejects) || !strings.Contains(err.Error(), "2 of 1000 rows") || !strings.Contains(err.Error(), "0.1% are allowed") {
			t.Errorf("%s %v", got, err)
		}
		w.write("id,name,amount\nz,n,1\n" + rowsOf(0, 9)) // 1 of 10, known at the end
		if got, err := w.run(share(9)); !errors.Is(err, ErrTooManyRejects) || !strings.Contains(err.Error(), "1 of 10 rows") {
			t.Errorf("%s %v", got, err)
		}
		if _, err := w.run(share(10)); err != nil {
			t.Error(err)
		}
	})
}

// TestANewProcessTakesOverARunOfAFile: it is the newer one that goes on, also while the text before its place is read.
func TestANewProcessTakesOverARunOfAFile(t *testing.T) {
	eachWay(t, func(t *testing.T, w *runs) {
		if !w.exact {
			return // nobody is fenced
		}
		w.write("id,name,amount\n" + rowsOf(0, 1000))
		ctx, stop := context.WithCancel(t.Context())
		begin := func() (*RowProgress, chan error) {
			p := w.production(func(p *ProduceCSV) { p.CSV.Follow, p.Progress = true, &RowProgress{} })
			ended := make(chan error, 1)
			go func() {
				_, err := p.Run(ctx)
				ended <- err
			}()
			return p.Progress, ended
		}
		old, first := begin()
		awaitCount(t, &old.Acked, 1000, first)
		young, second := begin()
		to := 1000
		for done := false; !done; to++ {
			w.append(rowsOf(to, to+1))
			select {
			case err := <-first:
				if done = true; !errors.Is(err, ErrTakenOver) {
					t.Errorf("the older one has ended with %v", err)
				}
			case err := <-second:
				t.Fatalf("the newer one has ended with %v", err)
			case <-time.After(10 * time.Millisecond):
			}
		}
		awaitCount(t, &young.Rows, 1, second)
		w.append(rowsOf(to, to+1))
		awaitCount(t, &young.Acked, int64(to)+1-old.Acked.Load(), second)
		stop()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		w.once(to + 1)
	})
}
