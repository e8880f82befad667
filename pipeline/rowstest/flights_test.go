package rowstest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline"
	"stripeline/schemas/rowplan"
)

const (
	flightsHeader = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest," +
		"air_time,distance,hour,minute,time_hour"
	generatedRows = 50_000
	realRows      = 336_776
)

// flightRow gives the cells of a flight as they stand in the file: every value follows from r, some are missing, some stand in quotes and hold what
// separates.
func flightRow(r *rand.Rand) []string {
	number := func(n int) string {
		if r.IntN(40) == 0 {
			return "NA"
		}
		return fmt.Sprint(r.IntN(n) - n/20)
	}
	whole := func(n int) string { return fmt.Sprint(r.IntN(n)) }
	at := time.Date(2013, 1, 1, r.IntN(365*24), 0, 0, 0, time.UTC)
	return []string{
		fmt.Sprint(at.Year()), fmt.Sprint(int(at.Month())), fmt.Sprint(at.Day()), number(2400), whole(2400), number(1300), number(2400), whole(2400), number(1200),
		pick(r, "UA", "AA", "9E", `"WN"`, "B6"), whole(8500), pick(r, "NA", fmt.Sprintf("N%05d", r.IntN(99999)), `"N 1,""x"""`, "N\u00e9"),
		pick(r, "EWR", "JFK", "LGA"), pick(r, "IAH", "LAX", "BQN", "\"A\nB\""), number(700), whole(5000), whole(24), whole(60), at.Format(time.RFC3339),
	}
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

// generated is a table like the real one.
func generated(t *testing.T, rows int) string {
	r := rand.New(rand.NewPCG(2013, 7))
	var b bytes.Buffer
	b.WriteString(flightsHeader + "\n")
	for range rows {
		b.WriteString(strings.Join(flightRow(r), ",") + "\n")
	}
	return write(t, "flights.csv", b.Bytes())
}

// realFlights gives the real table; without STRIPELINE_DATA the test ends here.
func realFlights(t *testing.T) string {
	folder := os.Getenv("STRIPELINE_DATA")
	if folder == "" {
		t.Skip("skipped: STRIPELINE_DATA does not name the folder of flights.csv.gz")
	}
	return filepath.Join(folder, "flights.csv.gz")
}

func TestAGeneratedTableArrivesValueByValue(t *testing.T) {
	arrivesValueByValue(t, generated(t, generatedRows), generatedRows)
}

func TestTheFlightsOf2013ArriveValueByValue(t *testing.T) {
	arrivesValueByValue(t, realFlights(t), realRows)
}

// arrivesValueByValue infers the schema of a table, pins it, sends the table, and lets two strangers compare.
func arrivesValueByValue(t *testing.T, file string, rows int64) {
	s := newStack(t)
	inferred, err := pipeline.Inference{File: file, Name: "flight", Nulls: []string{"NA"}}.Run(t.Context())
	s.must(err)
	if int64(inferred.Rows) != rows || len(inferred.Notes) > 0 {
		t.Errorf("%d rows looked at, want %d; notes: %q", inferred.Rows, rows, inferred.Notes)
	}
	topic, id := s.topic(inferred.Schema)
	p := &pipeline.ProduceCSV{
		Production: pipeline.Production{Cluster: s.cluster, Files: []string{file}, Topic: topic}, Registry: s.registry,
		Pin: pipeline.Pin{ID: id}, Key: []string{"carrier"}, Cells: rowplan.Options{Nulls: []string{"NA"}}, Provenance: true,
	}
	summary, err := p.Run(t.Context())
	s.must(err)
	if summary.Rows != rows || summary.Acked != rows || summary.Rejects != 0 || !summary.Finished {
		t.Fatalf("%+v", summary)
	}
	t.Logf("%d rows sent in %s", summary.Acked, summary.Took.Round(time.Millisecond))
	goWitness{stack: s, topic: topic, schema: inferred.Schema, nulls: "NA"}.compare(file)
	t.Run("python", func(t *testing.T) {
		said := python(t, "compare.py", file, s.config.Brokers[0], s.registryURL, topic, "NA")
		if want := fmt.Sprintf("%d rows, all the same\n", rows); said != want {
			t.Errorf("Python says %q, want %q", said, want)
		}
	})
}
