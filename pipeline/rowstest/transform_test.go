package rowstest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2/ocf"

	"stripeline/consumers/rowfile"
	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/schemas/client"
)

const (
	outSchema = `{"type":"record","name":"Out","namespace":"com.acme","fields":[
 {"name":"number","type":"long"},{"name":"twice","type":["null","double"]},{"name":"source","type":"string"}]}`
	outRenamed = `{"name":"origin","type":"string","default":"none"}`
	outMore    = `{"name":"more","type":"string","default":"new"},`
	seatMap    = "key: row.name\nfields:\n  number: row.id\n  twice: row.fare * 2.0\n  source: {const: test}\n"
)

// mapped is a transform on a desk that never ends by itself.
type mapped struct {
	*desk
	to      string
	job     *pipeline.Transform
	told    chan error // what came of a new version
	ended   <-chan error
	through *gateway
}

func newMapped(t *testing.T) *mapped {
	d := newDesk(t)
	m := &mapped{desk: d, to: brokertest.Topic(t, d.cluster, 2), told: make(chan error, 1), through: newGateway(d.stack)}
	d.must(d.registry.SetCompatibility(t.Context(), pipeline.ValueSubject(m.to), "NONE"))
	m.add(m.to, outSchema)
	m.add(d.topic, seatSchema(""))
	m.job = &pipeline.Transform{
		Cluster: d.cluster, Registry: m.through.client(1), From: d.topic, To: m.to, MapName: "map.yaml", MapText: []byte(seatMap), Group: m.to + "-group",
		Observer: flow.NewObserver(), Recheck: 5 * time.Millisecond, Rechecked: func(err error) { m.told <- err },
	}
	return m
}

// add registers the next version of a topic's values and gives its id.
func (m *mapped) add(topic, text string) int {
	m.t.Helper()
	id, err := m.registry.Register(m.t.Context(), pipeline.ValueSubject(topic), client.Schema{Text: text})
	m.must(err)
	return id
}

// done returns when n records have been mapped.
func (m *mapped) done(n int64) {
	m.t.Helper()
	m.must(m.job.Observer.Await(m.t.Context(), func(l []flow.LinkStatus) bool { return len(l) == 1 && l[0].Counts.Done >= n }))
}

func TestAMappingFollowsTheLatestVersionsAndWaitsForTheRegistry(t *testing.T) {
	m := newMapped(t)
	d := m.desk
	in, out := d.idOf(pipeline.ValueSubject(d.topic), 1), pipeline.ValueSubject(m.to)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	m.ended = start(t, func() error { _, err := m.job.Run(ctx); return err })
	d.sent(d.csv(seatRows))
	m.done(2)
	if got := m.printed(m.to, pipeline.PrintOptions{Format: "csv"}); got != "1,5,test\n2,,test\nnumber,twice,source" {
		t.Errorf("consume prints\n%s", got)
	}

	m.add(m.to, strings.Replace(outSchema, `{"name":"source","type":"string"}`, outRenamed, 1)) // which the mapping does not fit
	var findings pipeline.Findings
	if err := <-m.told; !errors.As(err, &findings) || !strings.Contains(err.Error(), "source") {
		t.Errorf("told %v", err)
	}
	d.sent(d.csv(seatRows)) // the old plan goes on
	m.done(4)
	m.add(m.to, strings.Replace(outSchema, `{"name":"source"`, outMore+`{"name":"source"`, 1))
	if err := <-m.told; err != nil {
		t.Errorf("told %v", err)
	}
	d.sent(d.csv(seatRows))
	m.done(6)

	m.through.shut() // records under an id that is not known wait for it
	m.add(d.topic, seatSchema(classed))
	if s := d.sent(d.csv(seatRows)); s.Schema.ID == in {
		t.Errorf("%+v", s.Schema)
	}
	m.must(waitsFor(t, m.job.Observer))
	m.through.open()
	m.done(8)
	if err := <-m.told; err != nil {
		t.Errorf("told %v", err)
	}
	stop()
	if err := <-m.ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	d.versions(out, 1, 2, 3)
	d.wantValueIDs(m.to, map[int]int{d.idOf(out, 1): 4, d.idOf(out, 3): 4})
	m.judge()
}

// judge reads what was mapped in every way that there is.
func (m *mapped) judge() {
	m.t.Helper()
	out := m.printed(m.to, asJSON)
	for line, want := range map[string]int{
		`{"number":1,"twice":5,"source":"test"}`: 2, `{"number":2,"twice":null,"source":"test"}`: 2,
		`{"number":1,"twice":5,"more":"new","source":"test"}`: 2, `{"number":2,"twice":null,"more":"new","source":"test"}`: 2,
	} {
		if got := strings.Count(out, line); got != want {
			m.t.Errorf("%s is printed %d times, want %d:\n%s", line, got, want, out)
		}
	}
	if rows := m.contained(m.to); rows != 8 {
		m.t.Errorf("%d rows are in container files", rows)
	}
	if rows := m.contained(m.topic); rows != 8 {
		m.t.Errorf("%d rows are in container files", rows)
	}
	var want []string
	for _, more := range []string{"", "", `"more":"new",`, `"more":"new",`} {
		want = append(want, `["ann",{"number":1,"twice":5.0,`+more+`"source":"test"}]`, `["b,ob",{"number":2,"twice":null,`+more+`"source":"test"}]`)
	}
	m.decoded(m.to, want...)
}

// contained writes a topic to container files and counts the rows that hamba/avro reads in them.
func (m *mapped) contained(topic string) (rows int) {
	m.t.Helper()
	dir := m.t.TempDir()
	c := pipeline.ConsumeFiles{Cluster: m.cluster, Registry: m.registry, Topic: topic, Dir: dir, Format: rowfile.Avro, ToEnd: true}
	s, err := c.Run(m.t.Context())
	m.must(err)
	if s.Rejects > 0 {
		m.t.Errorf("%+v", s)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.avro"))
	m.must(err)
	for _, name := range names {
		rows += m.rowsOf(name)
	}
	return rows
}

func (m *mapped) rowsOf(name string) (rows int) {
	m.t.Helper()
	file, err := os.Open(name)
	m.must(err)
	defer file.Close()
	reader, err := ocf.NewDecoder(file)
	m.must(err)
	for reader.HasNext() {
		var row map[string]any
		m.must(reader.Decode(&row))
		if len(row) < 3 {
			m.t.Errorf("%s holds %v", name, row)
		}
		rows++
	}
	m.must(reader.Error())
	return rows
}
