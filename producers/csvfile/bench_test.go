package csvfile_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"stripeline/producers/csvfile"
)

// flightsText is rows as those of the nycflights13 flights table.
func flightsText(rows int) string {
	return "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n" +
		strings.Repeat("2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"+
			"2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,N18120,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z\n", rows/2)
}

func BenchmarkSource(b *testing.B) {
	for _, c := range []struct {
		name    string
		replace *strings.Replacer
	}{{"flights", strings.NewReplacer()}, {"flights quoted", strings.NewReplacer("EWR", `"EWR"`, "UA", `"U""A"`)}} {
		text := c.replace.Replace(flightsText(100_000))
		run := func(b *testing.B) {
			b.SetBytes(int64(len(text) / 100_000))
			b.ReportAllocs()
			var s *csvfile.Source
			for left := 0; b.Loop(); left-- {
				if left == 0 {
					if s != nil {
						s.Close()
					}
					s, _ = csvfile.Open(b.Context(), "-", csvfile.Options{Stdin: strings.NewReader(text)})
					left = 100_000
				}
				if _, err := s.Next(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			s.Close()
		}
		b.Run(c.name, run)
		b.Run(c.name+" by encoding/csv", func(b *testing.B) { encodingCSV(b, text) })
	}
}

func encodingCSV(b *testing.B, text string) {
	b.SetBytes(int64(len(text) / 100_000))
	b.ReportAllocs()
	r := csv.NewReader(strings.NewReader(text))
	r.ReuseRecord = true
	for b.Loop() {
		if _, err := r.Read(); err == io.EOF {
			r = csv.NewReader(bytes.NewReader([]byte(text)))
			r.ReuseRecord = true
		} else if err != nil {
			b.Fatal(err)
		}
	}
}
