package rowplan_test

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

// sample is a value three times: as a cell, as what twmb/avro encodes, and with its type.
type sample struct {
	fieldType string
	cell      string
	value     any
}

func day(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), 0).UTC()
}

// zoned writes an instant as people do: in some zone, with T or a space.
func zoned(t *rapid.T, at time.Time) string {
	zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "zone"))
	text := at.In(zone).Format(time.RFC3339Nano)
	if year := at.In(zone).Year(); year < 1 || year > 9999 {
		text = at.Format(time.RFC3339Nano)
	}
	if rapid.Bool().Draw(t, "space") {
		text = strings.Replace(text, "T", " ", 1)
	}
	return text
}

// samples has one way to draw each scalar type; name keeps named types apart.
var samples = map[string]func(t *rapid.T, name string) sample{
	"boolean": func(t *rapid.T, _ string) sample {
		v := rapid.Bool().Draw(t, "v")
		return sample{`"boolean"`, strconv.FormatBool(v), v}
	},
	"int": func(t *rapid.T, _ string) sample {
		v := rapid.Int32().Draw(t, "v")
		return sample{`"int"`, fmt.Sprint(v), v}
	},
	"long": func(t *rapid.T, _ string) sample {
		v := rapid.Int64().Draw(t, "v")
		return sample{`"long"`, fmt.Sprint(v), v}
	},
	"float": func(t *rapid.T, _ string) sample {
		v := rapid.Float32().Draw(t, "v")
		return sample{`"float"`, fmt.Sprint(v), v}
	},
	"double": func(t *rapid.T, _ string) sample {
		v := rapid.Float64().Draw(t, "v")
		return sample{`"double"`, fmt.Sprint(v), v}
	},
	"string": func(t *rapid.T, _ string) sample {
		v := rapid.String().Draw(t, "v")
		return sample{`"string"`, v, v}
	},
	"bytes": func(t *rapid.T, _ string) sample {
		v := rapid.SliceOf(rapid.Byte()).Draw(t, "v")
		return sample{`"bytes"`, string(v), v}
	},
	"fixed": func(t *rapid.T, name string) sample {
		v := rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "v")
		text := string(v)
		if rapid.Bool().Draw(t, "hex") {
			text = fmt.Sprintf("%x", v)
		}
		return sample{`{"type":"fixed","name":"` + name + `","size":5}`, text, [5]byte(v)}
	},
	"enum": func(t *rapid.T, name string) sample {
		v := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "v")
		return sample{`{"type":"enum","name":"` + name + `","symbols":["A","B","C"]}`, v, v}
	},
	"date": func(t *rapid.T, _ string) sample {
		v := day(t).Truncate(24 * time.Hour)
		return sample{date, v.Format(time.DateOnly), v}
	},
	"time-millis": func(t *rapid.T, _ string) sample {
		v := time.Duration(rapid.IntRange(0, 86399999).Draw(t, "v")) * time.Millisecond
		return sample{clockMillis, time.Time{}.Add(v).Format("15:04:05.999"), v}
	},
	"time-micros": func(t *rapid.T, _ string) sample {
		v := time.Duration(rapid.IntRange(0, 86399999999).Draw(t, "v")) * time.Microsecond
		return sample{clockMicros, time.Time{}.Add(v).Format("15:04:05.999999"), v}
	},
	"timestamp-millis": func(t *rapid.T, _ string) sample {
		v := day(t).Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "ms")) * time.Millisecond)
		return sample{stampMillis, zoned(t, v), v}
	},
	"timestamp-nanos": func(t *rapid.T, _ string) sample {
		v := time.Unix(0, rapid.Int64().Draw(t, "v")).UTC()
		return sample{stampNanos, zoned(t, v), v}
	},
	"epoch": func(t *rapid.T, _ string) sample {
		v := rapid.Int64().Draw(t, "v")
		return sample{stampNanos, fmt.Sprint(v), time.Unix(0, v).UTC()}
	},
	"local-timestamp-micros": func(t *rapid.T, _ string) sample {
		v := day(t).Add(time.Duration(rapid.IntRange(0, 999999).Draw(t, "us")) * time.Microsecond)
		return sample{localMicros, v.Format("2006-01-02T15:04:05.999999"), v}
	},
	"decimal": func(t *rapid.T, _ string) sample {
		v := rapid.IntRange(-999999, 999999).Draw(t, "v")
		r := big.NewRat(int64(v), 100)
		return sample{decimal, r.FloatString(2 + rapid.IntRange(0, 3).Draw(t, "zeros")), r}
	},
	"decimal big": func(t *rapid.T, _ string) sample {
		digits := rapid.StringMatching(`-?[1-9][0-9]{0,36}`).Draw(t, "v")
		i, _ := new(big.Int).SetString(digits, 10)
		r := new(big.Rat).SetFrac(i, big.NewInt(1000))
		return sample{decimalBig, r.FloatString(3), r}
	},
	"decimal fixed": func(t *rapid.T, name string) sample {
		r := big.NewRat(int64(rapid.IntRange(-999999, 999999).Draw(t, "v")), 100)
		return sample{strings.Replace(decimalFix, `"d"`, `"`+name+`"`, 1), r.FloatString(2), r}
	},
	"uuid": func(t *rapid.T, _ string) sample {
		v := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).Draw(t, "v")
		return sample{uuid, v, v}
	},
	"uuid fixed": func(t *rapid.T, name string) sample {
		v := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).Draw(t, "v")
		return sample{strings.Replace(uuidFixed, `"u"`, `"`+name+`"`, 1), v, v}
	},
	"duration": func(t *rapid.T, name string) sample {
		v := avro.Duration{Months: rapid.Uint32().Draw(t, "m"), Days: rapid.Uint32().Draw(t, "d"), Milliseconds: rapid.Uint32().Draw(t, "ms")}
		return sample{strings.Replace(duration, `"p"`, `"`+name+`"`, 1), v.String(), v}
	},
}
