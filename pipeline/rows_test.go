package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/rowplan"
)

// shelf is a registry of a test: subjects with one version each, ids from 1.
type shelf struct {
	mu      sync.Mutex
	schemas []RowSchema
}

func (s *shelf) add(subject, text string) RowSchema {
	s.mu.Lock()
	defer s.mu.Unlock()
	version := 1
	for _, known := range s.schemas {
		if known.Subject == subject {
			version++
		}
	}
	schema := RowSchema{Subject: subject, Version: version, ID: len(s.schemas) + 1, Text: text}
	s.schemas = append(s.schemas, schema)
	return schema
}

func (s *shelf) Version(_ context.Context, subject string, version int) (RowSchema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.schemas) - 1; i >= 0; i-- {
		if x := s.schemas[i]; x.Subject == subject && (version == Latest || version == x.Version) {
			return x, nil
		}
	}
	return RowSchema{}, ErrUnknownSchema
}

func (s *shelf) ID(_ context.Context, id int) (RowSchema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.schemas) {
		return RowSchema{}, ErrUnknownSchema
	}
	return s.schemas[id-1], nil
}

const rowSchema = `{"type":"record","name":"row","fields":[
 {"name":"id","type":"long"},{"name":"name","type":"string"},{"name":"amount","type":"double"},{"name":"note","type":["null","string"],"default":null}]}`

// rowWorld is a broker with a topic and a registry that knows its schema.
type rowWorld struct {
	t        testing.TB
	config   kafka.Config
	cluster  *kafka.Cluster
	registry *shelf
	topic    string
}

func newRowWorld(t testing.TB) *rowWorld {
	w := &rowWorld{t: t, config: brokertest.Config(t), registry: &shelf{}}
	w.cluster = brokertest.Connect(t, w.config)
	w.topic = brokertest.Topic(t, w.cluster, 2)
	w.registry.add(ValueSubject(w.topic), rowSchema)
	return w
}

func (w *rowWorld) file(text string) string {
	w.t.Helper()
	name := filepath.Join(w.t.TempDir(), "in.csv")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	return name
}

func (w *rowWorld) csv(files ...string) *ProduceCSV {
	return &ProduceCSV{Production: Production{Cluster: w.cluster, Files: files, Topic: w.topic}, Registry: w.registry}
}

func (w *rowWorld) printed(c Consume) (string, int64) {
	w.t.Helper()
	var out bytes.Buffer
	c.Cluster, c.Registry, c.Out = w.cluster, w.registry, &out
	if c.Topic == "" {
		c.Topic = w.topic
	}
	if c.Print.Format == "" {
		c.Print.Format = "json"
	}
	n, err := c.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return out.String(), n
}

func (w *rowWorld) rejects() []Reject {
	w.t.Helper()
	var all []Reject
	r := Rejects{Cluster: w.cluster, Topic: w.topic}
	if err := r.List(w.t.Context(), func(x Reject) error { all = append(all, x); return nil }); err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestRowsThatFitAreInTheTopicAndTheOthersInTheRejectsWithTheirBytes(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("\ufeffid,name,amount,note\n1,ann,2.5,\n\ntwo,bob,1,x\n3,\"c\"\"d\",4,\"\"\n5,e\n6,f,7,open \"q\n"))
	p.Key = []string{"id"}
	var acks sync.Map
	p.Acked = func(a Ack) { acks.Store(a.Number, a) }
	s, err := p.Run(t.Context())
	if err != nil || s.Rows != 5 || s.Acked != 3 || s.Rejects != 2 || s.Blank != 1 || !s.Finished {
		t.Fatalf("%+v %v", s, err)
	}
	for n := int64(1); n <= 3; n++ {
		if _, ok := acks.Load(n); !ok {
			t.Errorf("no ack of record %d", n)
		}
	}
	out, n := w.printed(Consume{})
	for _, want := range []string{`{"id":1,"name":"ann","amount":2.5,"note":null}`, `{"id":3,"name":"c\"d","amount":4,"note":""}`, `"open \"q"`} {
		if n != 3 || !strings.Contains(out, want) {
			t.Errorf("%d records, %s is not in\n%s", n, want, out)
		}
	}
	rejects := w.rejects()
	if len(rejects) != 2 {
		t.Fatalf("%d rejects", len(rejects))
	}
	byCode := map[string]Reject{}
	for _, x := range rejects {
		byCode[x.Code] = x
	}
	typed := byCode["type"]
	if string(typed.Value) != "two,bob,1,x" || typed.Facts["line"] != "4" || typed.Facts["column"] != "id" || typed.Facts["value"] != "two" || string(typed.Key) != "two" {
		t.Errorf("%+v", typed)
	}
	if short := byCode["columns"]; string(short.Value) != "5,e" || short.Facts["line"] != "6" || short.Facts["byte"] == "" {
		t.Errorf("%+v", short)
	}
	got, err := (&Rejects{Cluster: w.cluster, Topic: w.topic}).Get(t.Context(), typed.Partition, typed.Offset)
	if err != nil || string(got.Value) != string(typed.Value) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWhatIsWrongBeforeTheFirstRecordSendsNothing(t *testing.T) {
	w := newRowWorld(t)
	good := w.file("id,name,amount\n1,a,2\n")
	for _, c := range []struct {
		name   string
		change func(*ProduceCSV)
		want   error
	}{
		{"topic", func(p *ProduceCSV) { p.Topic = w.topic + "nowhere"; p.Pin.Subject = ValueSubject(w.topic) }, kafka.ErrUnknownTopic},
		{"subject", func(p *ProduceCSV) { p.Pin.Subject = "nothing" }, ErrUnknownSchema},
		{"id", func(p *ProduceCSV) { p.Pin.ID = 99 }, ErrUnknownSchema},
		{"file", func(p *ProduceCSV) { p.Files = []string{good, "missing.csv"} }, os.ErrNotExist},
		{"key", func(p *ProduceCSV) { p.Key = []string{"nokey"} }, ErrNoColumn},
		{"header", func(p *ProduceCSV) { p.Files = []string{good, w.file("id,\"name\n1,2\n")} }, nil},
		{"doubled", func(p *ProduceCSV) { p.Files = []string{good, w.file("id,id,name,amount\n1,1,2,3\n")} }, nil},
		{"missing column", func(p *ProduceCSV) { p.Files = []string{good, w.file("id,name\n1,2\n")} }, nil},
		{"extra column", func(p *ProduceCSV) { p.Files = []string{good, w.file("id,name,amount,more\n1,2,3,4\n")} }, nil},
		{"empty file", func(p *ProduceCSV) { p.Files = []string{good, w.file("")} }, nil},
	} {
		p := w.csv(good)
		c.change(p)
		s, err := p.Run(t.Context())
		if err == nil || s.Rows != 0 || s.Acked != 0 || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %+v %v", c.name, s, err)
		}
	}
	if out, n := w.printed(Consume{}); n != 0 {
		t.Errorf("%d records were sent:\n%s", n, out)
	}
}

func TestSyncSendsOneAtATimeInOrder(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("id,name,amount\n1,a,1\n2,b,2\n3,c,3\n"))
	p.Sync = true
	var numbers []int64
	p.Acked = func(a Ack) { numbers = append(numbers, a.Number) }
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 3 || fmt.Sprint(numbers) != "[1 2 3]" {
		t.Errorf("%+v %v %v", s, numbers, err)
	}
}

func TestARejectAsLongAsARowMayBeIsKeptWhole(t *testing.T) {
	w := newRowWorld(t)
	long := "x," + strings.Repeat("n", 1<<20-10) + ",1"
	tooLarge := "1," + strings.Repeat("n", 1<<20-10) + ",1"
	p := w.csv(w.file("id,name,amount\n" + long + "\n" + tooLarge + "\n1,a,1\n"))
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 1 || s.Rejects != 2 {
		t.Fatalf("%+v %v", s, err)
	}
	kept := map[string]string{}
	for _, x := range w.rejects() {
		kept[x.Code] = string(x.Value)
	}
	if kept["type"] != long || kept["too-large"] != tooLarge {
		t.Errorf("%d rejects kept, of %d and %d bytes", len(kept), len(kept["type"]), len(kept["too-large"]))
	}
}

func TestTooManyRejectsStopTheRun(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("id,name,amount\n1,a,1\nx,a,1\ny,a,1\nz,a,1\n"))
	p.MaxRejects = 2
	s, err := p.Run(t.Context())
	if !errors.Is(err, ErrTooManyRejects) || s.Rejects != 2 || s.Acked != 1 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestInterruptedRunStillConfirmsWhatItSent(t *testing.T) {
	w := newRowWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p := w.csv("-")
	p.CSV.Stdin = reader
	p.Acked = func(Ack) { cancel() }
	if _, err := writer.WriteString("id,name,amount\n1,a,1\n2,b,2\n"); err != nil {
		t.Fatal(err)
	}
	s, err := p.Run(ctx)
	writer.Close()
	if !errors.Is(err, context.Canceled) || s.Acked == 0 || s.Finished {
		t.Fatalf("%+v %v", s, err)
	}
	if _, n := w.printed(Consume{}); n != s.Acked {
		t.Errorf("%d acked, %d in the topic", s.Acked, n)
	}
}

func TestTryShowsRowsAndRejectsAndSendsNothing(t *testing.T) {
	w := newRowWorld(t)
	p := w.csv(w.file("id,name,amount,note\n1,a,1,NA\nx,a,1,\n3,c,1,n\n4,c,1,n\n"))
	p.Cells = rowplan.Options{Nulls: []string{"NA"}}
	var shown []string
	err := p.Try(t.Context(), 3, func(r RowTrial) error {
		shown = append(shown, fmt.Sprint(r.Line, string(r.Record), r.Code))
		return nil
	})
	want := `[2{"id":1,"name":"a","amount":1,"note":null} 3type 4{"id":3,"name":"c","amount":1,"note":"n"}]`
	if err != nil || fmt.Sprint(shown) != want {
		t.Errorf("%v %v", shown, err)
	}
}

func TestLinesAreRecordsAsTheyAre(t *testing.T) {
	w := newRowWorld(t)
	p := &ProduceLines{Production: Production{Cluster: w.cluster, Files: []string{w.file("k:v\n\nplain\r\nlast")}, Topic: w.topic}, KeySeparator: ":"}
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 4 {
		t.Fatalf("%+v %v", s, err)
	}
	out, _ := w.printed(Consume{Print: PrintOptions{Format: "raw"}})
	for _, line := range []string{"v\n", "\n", "plain\n", "last\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not in %q", line, out)
		}
	}
}

func (w *rowWorld) rows(n int) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("id,name,amount\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,n%d,1.5\n", i, i)
	}
	if s, err := w.csv(w.file(b.String())).Run(w.t.Context()); err != nil || s.Acked != int64(n) {
		w.t.Fatalf("%+v %v", s, err)
	}
}

func TestConsumeInAGroupGoesOnFromTheCommit(t *testing.T) {
	w := newRowWorld(t)
	w.rows(10)
	seen := map[string]bool{}
	for _, n := range []int64{4, 6} {
		out, got := w.printed(Consume{Group: w.topic + "-g", Limit: n})
		if got != n {
			t.Fatalf("%d records, want %d", got, n)
		}
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			if seen[line] {
				t.Errorf("%s twice", line)
			}
			seen[line] = true
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d records seen", len(seen))
	}
	again := Consume{Cluster: w.cluster, Registry: w.registry, Topic: w.topic, Group: w.topic + "-g", Limit: 1, Out: &bytes.Buffer{},
		Print: PrintOptions{Format: "json"}, From: Place{Kind: PlaceBeginning}}
	if _, err := again.Run(t.Context()); !errors.Is(err, ErrCommitExists) {
		t.Errorf("%v, want ErrCommitExists", err)
	}
	if _, n := w.printed(Consume{Group: w.topic + "-g", Limit: 10, From: Place{Kind: PlaceBeginning}, Reset: true}); n != 10 {
		t.Errorf("%d records after a reset", n)
	}
}

func TestPlaces(t *testing.T) {
	w := newRowWorld(t)
	w.rows(6)
	after := time.Now().Add(time.Hour)
	for _, c := range []struct {
		from Place
		want int64
	}{
		{Place{}, 6}, {Place{Kind: PlaceBeginning}, 6}, {Place{Kind: PlaceEnd}, 0}, {Place{Kind: PlaceTime, Time: time.UnixMilli(1)}, 6},
		{Place{Kind: PlaceTime, Time: after}, 0}, {Place{Kind: PlaceOffset}, 6},
	} {
		if _, n := w.printed(Consume{From: c.from}); n != c.want {
			t.Errorf("from %+v: %d records, want %d", c.from, n, c.want)
		}
	}
	c := Consume{Cluster: w.cluster, Registry: w.registry, Topic: w.topic, Out: &bytes.Buffer{}, Print: PrintOptions{Format: "json"}, From: Place{Kind: PlaceOffset, Offset: 100}}
	if _, err := c.Run(t.Context()); !errors.Is(err, ErrNoSuchOffset) {
		t.Errorf("%v, want ErrNoSuchOffset", err)
	}
	if _, n := w.printed(Consume{Limit: 2}); n != 2 {
		t.Errorf("limit 2 printed %d", n)
	}
}
