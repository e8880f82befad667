package registry_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stripeline/schemas/registry"
	"stripeline/schemas/registry/logtest"
)

// connection is a raw HTTP/1.1 client: net/http's own would be what is measured.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(b *testing.B, s *server) *connection {
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &connection{conn, bufio.NewReaderSize(conn, 64<<10)}
}

// ask writes a request and reads its answer to the end.
func (c *connection) ask(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.Contains(string(status), " 200 ") {
		return fmt.Errorf("answer %q", status)
	}
	for length := 0; ; {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			_, err = c.in.Discard(length)
			return err
		}
		if value, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
}

func request(verb, body string) []byte {
	method, path, _ := strings.Cut(verb, " ")
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
}

// bigSchema is about 2 KB, different for each n.
func bigSchema(n int) string {
	var fields []string
	for i := range 45 {
		fields = append(fields, fmt.Sprintf("a_field_%d_of_%d:string", i, n))
	}
	return record(fmt.Sprintf("R%d", n), fields...)
}

// load sends requests made by next over 16 connections and reports the rate and the 99th percentile.
func load(b *testing.B, s *server, next func(i int) []byte) {
	const connections = 16
	times := make([][]time.Duration, connections)
	var all sync.WaitGroup
	b.ResetTimer()
	for c := range connections {
		conn := dial(b, s)
		all.Go(func() {
			for i := c; i < b.N; i += connections {
				start := time.Now()
				if err := conn.ask(next(i)); err != nil {
					b.Error(err)
					return
				}
				times[c] = append(times[c], time.Since(start))
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	sorted := slices.Concat(times...)
	slices.Sort(sorted)
	if len(sorted) > 0 {
		b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds()), "p99-us")
	}
}

// filled is a log with n subjects of one version each.
func filled(b *testing.B, n int) *logtest.Memory {
	log := logtest.NewMemory()
	var records []registry.Record
	for i := range n {
		records = append(records, registry.Record{
			Key:   fmt.Appendf(nil, `{"keytype":"SCHEMA","subject":"s%d","version":1,"magic":1}`, i),
			Value: fmt.Appendf(nil, `{"subject":"s%d","version":1,"id":%d,"schema":%q,"deleted":false}`, i, i+1, bigSchema(i)),
		})
	}
	if _, err := log.Append(b.Context(), 0, records); err != nil {
		b.Fatal(err)
	}
	return log
}

func BenchmarkGetByID(b *testing.B) {
	s := start(b, filled(b, 1000), registry.Options{})
	load(b, s, func(i int) []byte { return request(fmt.Sprintf("GET /schemas/ids/%d", i%1000+1), "") })
}

func BenchmarkLookup(b *testing.B) {
	s := start(b, filled(b, 1000), registry.Options{})
	bodies := make([]string, 1000)
	for i := range bodies {
		bodies[i] = quoted(bigSchema(i))
	}
	load(b, s, func(i int) []byte { return request(fmt.Sprintf("POST /subjects/s%d", i%1000), bodies[i%1000]) })
}

func BenchmarkRegister(b *testing.B) {
	s := fresh(b)
	load(b, s, func(i int) []byte {
		return request(fmt.Sprintf("POST /subjects/s%d/versions", i), quoted(bigSchema(i)))
	})
}

// BenchmarkOpen starts on 10,000 subjects of 2 KB and reports what they take.
func BenchmarkOpen(b *testing.B) {
	log := filled(b, 10000)
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		reg, err := registry.Open(b.Context(), log, registry.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
		reg.Close()
		b.StartTimer()
	}
}

// BenchmarkServe is GET by id without the network.
func BenchmarkServe(b *testing.B) {
	s := start(b, filled(b, 1000), registry.Options{})
	req, _ := http.NewRequest("GET", "/schemas/ids/7", nil)
	b.ReportAllocs()
	for b.Loop() {
		s.reg.ServeHTTP(discard{http.Header{}}, req)
	}
}

// discard is a response that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
