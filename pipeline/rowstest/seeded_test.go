package rowstest

import (
	"bufio"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"stripeline/pipeline"
	"stripeline/schemas/rowplan"
)

func TestAThousandBadRowsAreExplainedAndTheOthersArrive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	n := 0
	badRowsAreExplained(t, &seed{rows: generatedRows, each: 40, rand: r, next: func() []string {
		if n++; n > generatedRows {
			return nil
		}
		return flightRow(r)
	}})
}

func TestAThousandBadRowsAmongTheFlightsOf2013(t *testing.T) {
	in, err := os.Open(realFlights(t))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(text)
	lines.Scan() // the header
	badRowsAreExplained(t, &seed{rows: realRows, each: 40, rand: rand.New(rand.NewPCG(1, 8)), next: func() []string {
		if !lines.Scan() {
			return nil
		}
		return strings.Split(lines.Text(), ",")
	}})
}

// badRowsAreExplained sends a seeded table and checks that every row is either in the topic or in the rejects, and why.
func badRowsAreExplained(t *testing.T, table *seed) {
	table.sow()
	if len(kinds) < 20 || len(table.bad) != 1000 {
		t.Fatalf("%d rows of %d kinds are seeded", len(table.bad), len(kinds))
	}
	s := newStack(t)
	topic, id := s.topic(typedSchema)
	file := write(t, "seeded.csv", []byte(table.text.String()))
	p := &pipeline.ProduceCSV{
		Production: pipeline.Production{Cluster: s.cluster, Files: []string{file}, Topic: topic}, Registry: s.registry, Pin: pipeline.Pin{ID: id},
		Key: []string{"flight"}, Cells: rowplan.Options{Nulls: []string{"NA"}}, CSV: pipeline.CSVOptions{MaxRow: maxRow}, Provenance: true,
	}
	summary, err := p.Run(t.Context())
	s.must(err)
	good, bad := int64(table.good), int64(len(table.bad))
	if summary.Rows != good+bad || summary.Acked != good || summary.Rejects != bad {
		t.Errorf("%+v, want %d rows and %d rejects", summary, good, bad)
	}
	judge := rejectsJudge{stack: s, topic: topic, file: file, id: id, waiting: map[string]seeded{}}
	for _, b := range table.bad {
		judge.waiting[strconv.Itoa(b.line)] = b
	}
	judge.judge()
	goWitness{stack: s, topic: topic, schema: typedSchema, nulls: "NA", skip: table.skip}.compare(file)
}

// rejectsJudge compares what is in the rejects of a topic with the rows that should be there.
type rejectsJudge struct {
	*stack
	topic, file string
	id          int
	waiting     map[string]seeded // by line
}

func (j *rejectsJudge) judge() {
	j.t.Helper()
	j.each(pipeline.RejectsTopic(j.topic), func(r *kgo.Record) {
		want, ok := j.waiting[header(r, "line")]
		delete(j.waiting, header(r, "line"))
		if !ok {
			j.t.Errorf("reject of line %s, where nothing is wrong, or twice: %s: %q", header(r, "line"), header(r, "message"), r.Value)
			return
		}
		j.compare(r, want)
	})
	for _, b := range j.waiting {
		j.t.Errorf("line %d is no reject: %s: %q", b.line, b.name, b.raw)
	}
}

func (j *rejectsJudge) compare(r *kgo.Record, want seeded) {
	if string(r.Value) != want.raw {
		j.t.Errorf("line %d, %s: bytes are %q, want %q", want.line, want.name, r.Value, want.raw)
	}
	for name, text := range map[string]string{
		"code": want.code, "column": want.column, "value": want.value(), "byte": strconv.Itoa(want.offset), "file": j.file, "attempt": "1",
		"subject": "", "schema-id": strconv.Itoa(j.id), "__connect.errors.topic": j.topic,
	} {
		if got := header(r, name); got != text {
			j.t.Errorf("line %d, %s: %s is %q, want %q: %s", want.line, want.name, name, got, text, header(r, "message"))
		}
	}
	if want.column != "" && !want.structural() && (header(r, "expected") == "" || !strings.Contains(header(r, "message"), want.column)) {
		j.t.Errorf("line %d, %s: expected %q, message %q", want.line, want.name, header(r, "expected"), header(r, "message"))
	}
}
