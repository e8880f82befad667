package interoptest

import (
	"encoding/csv"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// airport is a row of pipeline/demodata/airports.csv, whose schema is airports.avsc.
type airport struct {
	FAA   string  `json:"faa" avro:"faa"`
	Name  string  `json:"name" avro:"name"`
	Lat   float64 `json:"lat" avro:"lat"`
	Lon   float64 `json:"lon" avro:"lon"`
	Alt   int32   `json:"alt" avro:"alt"`
	TZ    int32   `json:"tz" avro:"tz"`
	DST   string  `json:"dst" avro:"dst"`
	TZone *string `json:"tzone" avro:"tzone"`
}

const (
	airportsCSV    = "pipeline/demodata/airports.csv"
	airportsSchema = "pipeline/demodata/airports.avsc"
)

// airportsOf reads the CSV file with encoding/csv and strconv alone.
func airportsOf(t *testing.T) []airport {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(readFile(t, airportsCSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []airport
	for _, row := range rows[1:] {
		a := airport{FAA: row[0], Name: row[1], Lat: float(t, row[2]), Lon: float(t, row[3]), Alt: int32(float(t, row[4])), TZ: int32(float(t, row[5])), DST: row[6]}
		if row[7] != "NA" {
			a.TZone = &row[7]
		}
		all = append(all, a)
	}
	return all
}

func float(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// asJSON gives airports as JSON lines.
func asJSON(t *testing.T, all []airport) string {
	t.Helper()
	var lines strings.Builder
	to := json.NewEncoder(&lines)
	for _, a := range all {
		if err := to.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
	return lines.String()
}

// fromJSON reads airports from JSON lines.
func fromJSON(t *testing.T, lines string) []airport {
	t.Helper()
	var all []airport
	from := json.NewDecoder(strings.NewReader(lines))
	from.DisallowUnknownFields()
	for from.More() {
		var a airport
		if err := from.Decode(&a); err != nil {
			t.Fatalf("airport %d: %v", len(all)+1, err)
		}
		all = append(all, a)
	}
	return all
}

// judgeAirports compares airports in any order.
func judgeAirports(t *testing.T, got, want []airport) {
	t.Helper()
	byName := func(a, b airport) int { return strings.Compare(a.FAA, b.FAA) }
	got, want = slices.SortedFunc(slices.Values(got), byName), slices.SortedFunc(slices.Values(want), byName)
	if len(got) != len(want) {
		t.Fatalf("%d airports, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("airport %s:\n%swant\n%s", want[i].FAA, asJSON(t, got[i:i+1]), asJSON(t, want[i:i+1]))
		}
	}
}
