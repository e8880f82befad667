package rowplan_test

import (
	"bytes"
	"strings"
	"testing"

	"stripeline/schemas/rowplan"
)

const flightsHeader = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour"

// flightsSchema types the 19 columns of the nycflights13 flights table: integers, nullable integers, strings, a timestamp.
func flightsSchema() string {
	var fields []string
	for _, name := range strings.Split(flightsHeader, ",") {
		fieldType := `"int"`
		switch name {
		case "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time":
			fieldType = `["null","int"]`
		case "tailnum":
			fieldType = `["null","string"]`
		case "carrier", "origin", "dest":
			fieldType = `"string"`
		case "time_hour":
			fieldType = stampMillis
		}
		fields = append(fields, `{"name":"`+name+`","type":`+fieldType+`}`)
	}
	return `{"type":"record","name":"flight","fields":[` + strings.Join(fields, ",") + `]}`
}

func BenchmarkFlights(b *testing.B) {
	plan := compile(b, flightsSchema(), strings.Split(flightsHeader, ","), rowplan.Options{Nulls: []string{"NA"}})
	rows := [][][]byte{
		bytes.Split([]byte("2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z"), []byte{','}),
		bytes.Split([]byte("2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,N18120,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z"), []byte{','}),
	}
	value, err := plan.Append(nil, rows[0], nil)
	if err != nil {
		b.Fatal(err)
	}
	walker, err := rowplan.Walk(flightsSchema())
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if buf, err = plan.Append(buf[:0], rows[i&1], nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("offsets", func(b *testing.B) {
		b.ReportAllocs()
		var offsets []int
		for b.Loop() {
			if offsets, err = walker.Offsets(offsets[:0], value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = walker.AppendJSON(buf[:0], value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("csv", func(b *testing.B) {
		b.ReportAllocs()
		var flat rowplan.Flat
		for b.Loop() {
			if err = walker.Cells(&flat, value); err != nil {
				b.Fatal(err)
			}
			buf = rowplan.Separated{}.AppendLine(buf[:0], &flat)
		}
	})
}
