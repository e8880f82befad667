package rowstest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stripeline/consumers/rowfile"
	"stripeline/pipeline"
	"stripeline/pipeline/flow"
	"stripeline/schemas/client"
)

// inVain is a number of tries that no test lives to see the last of.
const inVain = 1 << 30

func TestWhatStartsWithoutARegistryGoesOnWhenItIsThere(t *testing.T) {
	d := newDesk(t)
	g := newGateway(d.stack)
	sent, filed := pipeline.RowSummary{}, pipeline.FilesSummary{}
	for _, run := range []func(pipeline.RegistryClient) error{
		func(away pipeline.RegistryClient) (err error) {
			p := d.csv(seatRows)
			p.Register, p.Registry, p.Writer = schemaFile(seatSchema("")), away, away
			sent, err = p.Run(t.Context())
			return err
		},
		func(away pipeline.RegistryClient) error {
			c := pipeline.Consume{Cluster: d.cluster, Registry: away, Topic: d.topic, Out: io.Discard, Print: asJSON}
			n, err := c.Run(t.Context())
			if n != 2 {
				t.Errorf("%d records printed", n)
			}
			return err
		},
		func(away pipeline.RegistryClient) (err error) {
			c := pipeline.ConsumeFiles{Cluster: d.cluster, Registry: away, Topic: d.topic, Dir: t.TempDir(), Format: rowfile.Avro, ToEnd: true}
			filed, err = c.Run(t.Context())
			return err
		},
	} {
		g.shut()
		away := g.client(inVain)
		ended := start(t, func() error { return run(away) })
		g.knocked(ended)
		g.open()
		d.must(<-ended)
	}
	if sent.Acked != 2 || filed.Records != 2 || filed.Rejects != 0 {
		t.Errorf("%+v, %+v", sent, filed)
	}
	d.wantIDs(map[[2]int]int{{0, d.idOf(pipeline.ValueSubject(d.topic), 1)}: 2})
}

func TestWithoutARegistryAPersonIsToldWhereItShouldBe(t *testing.T) {
	d := newDesk(t)
	g := newGateway(d.stack)
	g.shut()
	p := d.csv(seatRows)
	p.Registry, p.Writer = g.client(2), nil
	_, err := p.Run(t.Context())
	if !errors.Is(err, client.ErrUnreachable) || err.Error() != "the registry cannot be reached at "+g.url+": dial tcp "+g.addr+": connect: connection refused" {
		t.Errorf("%v", err)
	}
}

// TestAWatchWaitsForTheRegistry: it looks for the latest version before each file.
func TestAWatchWaitsForTheRegistry(t *testing.T) {
	d := newDesk(t)
	first := d.csv(seatRows)
	first.Register = schemaFile(seatSchema(""))
	d.sent(first)
	g := newGateway(d.stack)
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	moved := make(chan pipeline.MovedFile)
	p := d.csv("")
	p.Registry, p.Writer, p.Files = g.client(1), nil, nil
	p.Watch = pipeline.Watching{Dir: dir, Settle: time.Millisecond, Moved: func(m pipeline.MovedFile) { moved <- m }}
	ended := start(t, func() error { _, err := p.Run(ctx); return err })
	put := func(name string) {
		t.Helper()
		d.must(os.WriteFile(filepath.Join(dir, ".new"), []byte(seatRows), 0o644))
		d.must(os.Rename(filepath.Join(dir, ".new"), filepath.Join(dir, name)))
	}
	put("a.csv")
	<-moved
	g.shut()
	put("b.csv")
	g.knocked(ended)
	next := d.csv(seatRows)
	next.Register = schemaFile(seatSchema(classed))
	d.sent(next)
	g.open()
	if m := <-moved; m.Acked != 2 || m.Error != "" {
		t.Errorf("%+v", m)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	subject := pipeline.ValueSubject(d.topic)
	d.wantIDs(map[[2]int]int{{0, d.idOf(subject, 1)}: 4, {0, d.idOf(subject, 2)}: 4})
}

// TestASchemaDeletedUnderARunStaysInUse: nothing is asked of the registry once the run knows its schema.
func TestASchemaDeletedUnderARunStaysInUse(t *testing.T) {
	d := newDesk(t)
	subject := pipeline.ValueSubject(d.topic)
	id, err := d.registry.Register(t.Context(), subject, client.Schema{Text: seatSchema("")})
	d.must(err)
	reader, writer, err := os.Pipe()
	d.must(err)
	defer reader.Close()
	acked := make(chan struct{}, 4)
	p := d.csv("")
	p.Files, p.CSV.Stdin, p.Acked = []string{"-"}, reader, func(pipeline.Ack) { acked <- struct{}{} }
	ended := start(t, func() error { _, err := p.Run(t.Context()); return err })
	_, err = writer.WriteString(seatRows)
	d.must(err)
	for range 2 {
		<-acked
	}
	_, err = d.registry.DeleteSubject(t.Context(), subject, client.Soft)
	d.must(err)
	_, err = writer.WriteString("3,carl,1\n4,dora,\n")
	d.must(errors.Join(err, writer.Close()))
	d.must(<-ended)
	d.wantIDs(map[[2]int]int{{0, id}: 4})
}

// waitsFor returns when a partition of a link waits.
func waitsFor(t *testing.T, o *flow.Observer) error {
	t.Helper()
	return o.Await(t.Context(), func(links []flow.LinkStatus) bool {
		for _, l := range links {
			for _, p := range l.Partitions {
				if p.State == flow.StateWaiting {
					return true
				}
			}
		}
		return false
	})
}
