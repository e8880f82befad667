package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/client"
)

//go:embed demodata
var demodata embed.FS

// demoBytes is the length of the file that the demo puts.
const demoBytes = 256 << 20

// Demo shows both journeys on a stack of its own, in a temporary directory and on free ports, and cleans up.
type Demo struct {
	Logger *slog.Logger
	Say    func(DemoStep) // told of every step that was done

	dev      *Dev
	registry RegistryClient
	dir      string
}

// DemoStep is one thing that the demo did.
type DemoStep struct {
	Title string        `json:"title"`
	Lines []string      `json:"lines,omitempty"` // what there is to see
	Took  time.Duration `json:"took_ns"`
}

// Run runs the demo. Everything it made is removed, also after an error.
func (d *Demo) Run(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "stripeline-demo-"); err != nil {
		return fmt.Errorf("make the demo's directory: %w", err)
	}
	defer os.RemoveAll(d.dir)
	began := time.Now()
	d.dev, err = StartDev(ctx, DevOptions{Dir: d.dir, BrokerAddr: "127.0.0.1:0", RegistryAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		Targets: 9, Durability: DurabilityProcess, Logger: d.Logger})
	if err != nil {
		return err
	}
	d.say(began, "broker, schema registry, 9 storage targets and all links, in one process",
		"broker   "+d.dev.BrokerAddr(), "registry "+d.dev.RegistryURL(), "data     "+d.dir)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- d.dev.Run(running)
		stop()
	}()
	err = d.show(running)
	stop()
	if failed := <-ended; failed != nil {
		err = failed
	}
	if closed := d.dev.Close(); err == nil {
		err = closed
	}
	return err
}

func (d *Demo) show(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.register, d.produce, d.transform, d.rejects, d.putAndGet} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) say(began time.Time, title string, lines ...string) {
	d.Say(DemoStep{Title: title, Lines: lines, Took: time.Since(began)})
}

func (d *Demo) register(ctx context.Context) error {
	began := time.Now()
	var err error
	if d.registry, err = d.dev.Registry(); err != nil {
		return err
	}
	var lines []string
	for _, name := range []string{"airports", "places"} {
		text, err := demodata.ReadFile("demodata/" + name + ".avsc")
		if err != nil {
			return err
		}
		id, err := d.registry.Register(ctx, ValueSubject(name), client.Schema{Text: string(text)})
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%s is schema %d", ValueSubject(name), id))
		if err := d.dev.cluster.Create(ctx, kafka.Topic{Name: name, Partitions: 3}); err != nil {
			return err
		}
	}
	d.say(began, "schemas registered", lines...)
	return nil
}

// csv produces one of the demo's CSV files to the topic of airports.
func (d *Demo) csv(ctx context.Context, name string) (RowSummary, error) {
	content, err := demodata.ReadFile("demodata/" + name)
	if err != nil {
		return RowSummary{}, err
	}
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return RowSummary{}, err
	}
	run := ProduceCSV{Production: Production{Cluster: d.dev.cluster, Files: []string{path}, Topic: "airports"}, Registry: d.registry, Key: []string{"faa"}}
	run.Cells.Nulls = []string{"NA"}
	return run.Run(ctx)
}

func (d *Demo) produce(ctx context.Context) error {
	began := time.Now()
	s, err := d.csv(ctx, "airports.csv")
	if err != nil {
		return err
	}
	d.say(began, "airports.csv produced: each column typed by the subject's schema, NA is null",
		fmt.Sprintf("%d rows, %d acked, %d rejects, %.0f rows/s", s.Rows, s.Acked, s.Rejects, float64(s.Rows)/s.Took.Seconds()))
	return nil
}

func (d *Demo) transform(ctx context.Context) error {
	began := time.Now()
	text, err := demodata.ReadFile("demodata/places.yaml")
	if err != nil {
		return err
	}
	t := Transform{Cluster: d.dev.cluster, Registry: d.registry, From: "airports", To: "places", MapName: "places.yaml", MapText: text, ToEnd: true}
	s, err := t.Run(ctx)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	c := Consume{Cluster: d.dev.cluster, Registry: d.registry, Topic: "places", Limit: 3, Out: &out, Print: PrintOptions{Format: "table"}}
	if _, err := c.Run(ctx); err != nil {
		return err
	}
	d.say(began, fmt.Sprintf("airports mapped to places by CEL expressions: %d records", s.Emitted), lines(&out)...)
	return nil
}

func (d *Demo) rejects(ctx context.Context) error {
	began := time.Now()
	s, err := d.csv(ctx, "airports-bad.csv")
	if err != nil {
		return err
	}
	shown := []string{fmt.Sprintf("%d rows, %d acked, %d rejects kept whole on %s", s.Rows, s.Acked, s.Rejects, RejectsTopic("airports"))}
	rejects := Rejects{Cluster: d.dev.cluster, Topic: "airports"}
	if err := rejects.List(ctx, func(r Reject) error {
		shown = append(shown, fmt.Sprintf("line %s: %s", r.Facts[headerLine], r.Message))
		return nil
	}); err != nil {
		return err
	}
	d.say(began, "airports-bad.csv produced: bad rows are put aside and explained", shown...)
	return nil
}

func lines(b *bytes.Buffer) []string {
	var all []string
	for line := range bytes.Lines(b.Bytes()) {
		all = append(all, string(bytes.TrimRight(line, "\n")))
	}
	return all
}

// demoContent gives the content of the file that the demo puts: random bytes that do not compress.
func demoContent() io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), demoBytes)
}

func (d *Demo) putAndGet(ctx context.Context) error {
	began := time.Now()
	sum := sha256.New()
	put, err := d.dev.Site.Put(ctx, io.TeeReader(demoContent(), sum), PutOptions{Path: "/demo/file", Size: demoBytes})
	if err != nil {
		return err
	}
	took := time.Since(began)
	d.say(began, "a file of 256 MiB put: packets through Kafka, Reed-Solomon 6+3, fsynced on 9 targets",
		fmt.Sprintf("%s, %d blocks, version %s, %s", put.Path, put.Blocks, put.Version, perSecond(put.Length, took)))
	if err := d.get(ctx, sum, func() error { return nil }, "read back whole"); err != nil {
		return err
	}
	if err := d.get(ctx, sum, d.harm, "read back while one target's directory was removed and bits flipped on another"); err != nil {
		return err
	}
	return d.get(ctx, sum, func() error { return nil }, "read back again with 2 of 9 targets gone or rotten")
}

// get reads the file back, does harm once a quarter was read, and compares the digest.
func (d *Demo) get(ctx context.Context, want hash.Hash, harm func() error, title string) error {
	began := time.Now()
	sum := sha256.New()
	entry, err := d.dev.Site.Get(ctx, "/demo/file", &harmful{out: sum, after: demoBytes / 4, harm: harm})
	if err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), want.Sum(nil)) {
		return fmt.Errorf("the file that was read back differs from what was put: SHA-256 %x, want %x", sum.Sum(nil), want.Sum(nil))
	}
	d.say(began, title, fmt.Sprintf("SHA-256 %x agrees, %s", sum.Sum(nil)[:8], perSecond(entry.Length, time.Since(began))))
	return nil
}

func perSecond(bytes int64, took time.Duration) string {
	return fmt.Sprintf("%.0f MiB/s", float64(bytes)/(1<<20)/took.Seconds())
}
