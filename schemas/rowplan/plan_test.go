package rowplan_test

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/twmb/avro"

	"stripeline/schemas/rowplan"
)

// record wraps one field type into a record schema.
func record(fieldType string) string {
	return `{"type":"record","name":"r","namespace":"t","fields":[{"name":"v","type":` + fieldType + `}]}`
}

func compile(t testing.TB, schema string, header []string, o rowplan.Options) *rowplan.Plan {
	t.Helper()
	p, err := rowplan.Compile(schema, header, o)
	if err != nil {
		t.Fatalf("compile %s: %v", schema, err)
	}
	return p
}

// shown gives the JSON line of a cell typed by fieldType.
func shown(t testing.TB, fieldType, cell string, o rowplan.Options) (string, error) {
	t.Helper()
	out, err := compile(t, record(fieldType), []string{"v"}, o).Append([]byte("kept"), [][]byte{[]byte(cell)}, nil)
	if err != nil {
		if string(out) != "kept" {
			t.Errorf("after an error dst is %q", out)
		}
		return "", err
	}
	value := out[4:]
	var judge map[string]any
	if rest, err := avro.MustParse(record(fieldType)).Decode(value, &judge); err != nil || len(rest) > 0 {
		t.Errorf("%s %q: twmb/avro reads %x: %v, %d bytes left", fieldType, cell, value, err, len(rest))
	}
	w, err := rowplan.Walk(record(fieldType))
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.AppendJSON(nil, value)
	if err != nil {
		t.Fatalf("%s %q: %v", fieldType, cell, err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(line), `{"v":`), "}"), nil
}

const (
	stampMillis = `{"type":"long","logicalType":"timestamp-millis"}`
	stampNanos  = `{"type":"long","logicalType":"timestamp-nanos"}`
	localMicros = `{"type":"long","logicalType":"local-timestamp-micros"}`
	date        = `{"type":"int","logicalType":"date"}`
	clockMillis = `{"type":"int","logicalType":"time-millis"}`
	clockMicros = `{"type":"long","logicalType":"time-micros"}`
	decimal     = `{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}`
	decimalBig  = `{"type":"bytes","logicalType":"decimal","precision":40,"scale":3}`
	decimalFix  = `{"type":"fixed","name":"d","size":3,"logicalType":"decimal","precision":6,"scale":2}`
	uuid        = `{"type":"string","logicalType":"uuid"}`
	uuidFixed   = `{"type":"fixed","name":"u","size":16,"logicalType":"uuid"}`
	duration    = `{"type":"fixed","name":"p","size":12,"logicalType":"duration"}`
	enum        = `{"type":"enum","name":"e","symbols":["RED","GREEN"]}`
	fixed4      = `{"type":"fixed","name":"f","size":4}`
)

func TestCells(t *testing.T) {
	for _, c := range []struct{ fieldType, cell, want string }{
		{`"boolean"`, "TRUE", "true"}, {`"boolean"`, "0", "false"},
		{`"int"`, "-2147483648", "-2147483648"}, {`"int"`, "+007", "7"},
		{`"long"`, "9223372036854775807", "9223372036854775807"}, {`"long"`, "-9223372036854775808", "-9223372036854775808"},
		{`"float"`, "1.5", "1.5"}, {`"float"`, "1e-9", "1e-09"}, {`"double"`, "-80.6195833", "-80.6195833"}, {`"double"`, "1e300", "1e+300"},
		{`"double"`, "NaN", `"NaN"`}, {`"double"`, "-inf", `"-Infinity"`}, {`"double"`, ".5", "0.5"}, {`"double"`, "5.", "5"},
		{`"string"`, "a\"\n\x01é", `"a\"\n\u0001é"`}, {`"bytes"`, "\xff\x00a", `"\u00ff\u0000a"`},
		{date, "2024-02-29", `"2024-02-29"`}, {date, "0000-03-01", `"0000-03-01"`}, {date, "9999-12-31", `"9999-12-31"`},
		{clockMillis, "23:59:59.999", `"23:59:59.999"`}, {clockMillis, "07:05", `"07:05:00"`}, {clockMicros, "00:00:00.0000010", `"00:00:00.000001"`},
		{stampMillis, "2013-01-01T10:00:00Z", `"2013-01-01T10:00:00Z"`}, {stampMillis, "1969-12-31 23:59:59.5-01:30", `"1970-01-01T01:29:59.5Z"`},
		{stampMillis, "1357034400000", `"2013-01-01T10:00:00Z"`}, {stampMillis, "-1", `"1969-12-31T23:59:59.999Z"`},
		{stampMillis, "9223372036854775807", `"9223372036854775807"`},
		{stampNanos, "2262-04-11T23:47:16.854775807Z", `"2262-04-11T23:47:16.854775807Z"`},
		{stampNanos, "1677-09-21T00:12:43.145224192Z", `"1677-09-21T00:12:43.145224192Z"`},
		{localMicros, "2013-01-01T10:00:00.000001", `"2013-01-01T10:00:00.000001"`},
		{decimal, "-0.01", "-0.01"}, {decimal, "12.5000", "12.50"}, {decimal, "9999.99", "9999.99"}, {decimal, "1E+2", "100.00"},
		{decimal, "0e99", "0.00"}, {decimal, "-1.28", "-1.28"}, {decimal, ".5", "0.50"}, {decimalFix, "-9999.99", "-9999.99"}, {decimalFix, "0", "0.00"},
		{decimalBig, "-1234567890123456789012345678901234567.891", "-1234567890123456789012345678901234567.891"},
		{decimalBig, "9223372036854775.808", "9223372036854775.808"}, {decimalBig, "-9223372036854775.808", "-9223372036854775.808"},
		{uuid, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`},
		{uuidFixed, "6BA7b810-9dad-11d1-80b4-00c04fd430c8", `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`},
		{duration, "P1Y2M3W4DT5H6M7.089S", `"P1Y2M25DT5H6M7.089S"`}, {duration, "PT0S", `"P0D"`}, {duration, "PT90M", `"PT1H30M"`},
		{enum, "GREEN", `"GREEN"`}, {fixed4, "abcd", `"abcd"`}, {fixed4, "00ff00FF", `"\u0000\u00ff\u0000\u00ff"`},
		{`"null"`, "", "null"}, {`["null","long"]`, "", "null"}, {`["long","null"]`, "5", "5"}, {`"string"`, "", `""`}, {`["int","string"]`, "", `""`},
		{`["null","string"]`, "", "null"}, {`["null","string","long","double"]`, "12", "12"}, {`["null","string","long","double"]`, "1.5", "1.5"},
		{`["null","string","long","double"]`, "x", `"x"`}, {`["long","double","null","boolean"]`, "true", "true"},
		{`{"type":"array","items":["null","int"]}`, " [1, null,3] ", "[1,null,3]"}, {`{"type":"array","items":` + date + `}`, `["2024-02-29"]`, `["2024-02-29"]`},
		{`{"type":"map","values":"double"}`, `{"b":1.25,"a":-2}`, `{"b":1.25,"a":-2}`}, {`{"type":"array","items":"bytes"}`, `["\u00ff"]`, `["\u00ff"]`},
		{`{"type":"record","name":"in","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","default":"x","aliases":["c"]}]}`,
			`{"a":1}`, `{"a":1,"b":"x"}`},
		{`{"type":"record","name":"in","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","aliases":["c"]}]}`,
			`{"c":"y","a":1}`, `{"a":1,"b":"y"}`},
	} {
		if got, err := shown(t, c.fieldType, c.cell, rowplan.Options{}); err != nil || got != c.want {
			t.Errorf("%s %q: %s, %v; want %s", c.fieldType, c.cell, got, err, c.want)
		}
	}
}

func TestBadCells(t *testing.T) {
	for _, c := range []struct{ fieldType, cell, code string }{
		{`"boolean"`, "yes", "type"}, {`"int"`, "2147483648", "range"}, {`"int"`, "1.0", "type"}, {`"int"`, " 1", "type"}, {`"int"`, "-", "type"},
		{`"long"`, "9223372036854775808", "range"}, {`"long"`, "-9223372036854775809", "range"}, {`"long"`, "99999999999999999999999", "range"},
		{`"long"`, "1_000", "type"}, {`"int"`, "", "null"}, {`"double"`, "0x1p3", "type"}, {`"double"`, "1e400", "range"}, {`"float"`, "1e39", "range"},
		{`"double"`, "e5", "type"}, {`"double"`, "1,5", "type"}, {`"double"`, "1e", "type"}, {`"string"`, "\xff", "utf8"},
		{date, "2023-02-29", "type"}, {date, "2023-13-01", "type"}, {date, "20230101", "type"}, {date, "2023-1-1", "type"}, {date, "", "null"},
		{clockMillis, "24:00:00", "type"}, {clockMillis, "12:00:00.0001", "fraction"}, {clockMillis, "12:00:00Z", "type"}, {clockMillis, "12:60", "type"},
		{stampMillis, "2013-01-01T10:00:00", "zone"}, {stampMillis, "2013-01-01", "type"}, {stampMillis, "2013-01-01T10:00:00.0005Z", "fraction"},
		{stampMillis, "2013-01-01T10:00:60Z", "type"}, {stampMillis, "2013-01-01T10:00:00+25:00", "type"}, {stampMillis, "2013-01-01T10:00:00.Z", "type"},
		{stampNanos, "2262-04-11T23:47:16.854775808Z", "range"}, {localMicros, "2013-01-01T10:00:00Z", "zone"},
		{decimal, "1.005", "scale"}, {decimal, "10000", "range"}, {decimal, "1e9", "range"}, {decimal, "1e99999999999", "range"}, {decimal, "abc", "type"},
		{decimal, ".", "type"}, {decimal, "1.2.3", "type"}, {decimal, "1e", "type"}, {decimal, "", "null"},
		{uuid, "6ba7b810-9dad-11d1-80b4-00c04fd430cg", "type"}, {uuid, "", "null"}, {duration, "P", "type"}, {duration, "P1D2Y", "type"},
		{duration, "PT1.0005S", "fraction"}, {duration, "P99999999999Y", "range"}, {duration, "P1Y1Y", "type"}, {duration, "P1.5D", "type"},
		{enum, "BLUE", "symbol"}, {enum, "red", "symbol"}, {fixed4, "abc", "size"}, {fixed4, "0011gg22", "type"},
		{`["null","int"]`, "x", "type"}, {`["int","boolean"]`, "x", "type"}, {`"null"`, "x", "type"},
		{`{"type":"array","items":"int"}`, "[1", "json"}, {`{"type":"array","items":"int"}`, `["x"]`, "type"}, {`{"type":"array","items":"int"}`, "[1] 2", "json"},
		{`{"type":"array","items":"int"}`, `{"a":1}`, "json"}, {`{"type":"map","values":"int"}`, `{"a":1,"a":2}`, "json"},
		{`{"type":"array","items":"string"}`, `[1]`, "json"}, {`{"type":"array","items":"int"}`, `[null]`, "null"}, {`{"type":"array","items":"int"}`, "\xff", "utf8"},
		{`{"type":"record","name":"in","fields":[{"name":"a","type":"int"}]}`, `{"a":1,"b":2}`, "member"},
		{`{"type":"record","name":"in","fields":[{"name":"a","type":"int"}]}`, `{}`, "member"},
		{`{"type":"array","items":"int"}`, strings.Repeat("[", 5000), "json"},
	} {
		got, err := shown(t, c.fieldType, c.cell, rowplan.Options{})
		var bad *rowplan.CellError
		if !errors.As(err, &bad) || bad.Code != c.code {
			t.Errorf("%s %.40q: %s, %v; want code %s", c.fieldType, c.cell, got, err, c.code)
			continue
		}
		if bad.Column != "v" || !bytes.Equal(bad.Value, []byte(c.cell)[:min(len(c.cell), rowplan.MaxErrorValue)]) || bad.Expected == "" || bad.Reason == "" {
			t.Errorf("%s %.40q: incomplete error %+v", c.fieldType, c.cell, bad)
		}
	}
}

// TestDecimalBytes: the shortest two's complement at every change of its length.
func TestDecimalBytes(t *testing.T) {
	plan := compile(t, record(decimal), []string{"v"}, rowplan.Options{})
	judge := avro.MustParse(record(decimal))
	for _, around := range []int64{0, 128, 256, 32768, 65536, 999000} {
		for v := around - 999; v < around+999; v++ {
			for _, r := range []*big.Rat{big.NewRat(v, 100), big.NewRat(-v, 100)} {
				want, err := judge.Encode(map[string]any{"v": r})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := plan.Append(nil, [][]byte{[]byte(r.FloatString(2))}, nil); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s: %x, %v; judge %x", r.FloatString(2), got, err, want)
				}
			}
		}
	}
}

func TestTimeFormats(t *testing.T) {
	for _, c := range []struct {
		fieldType, cell, want string
		o                     rowplan.Options
	}{
		{stampMillis, "01/02/2013 10:00", `"2013-02-01T10:00:00Z"`, rowplan.Options{TimeFormat: "02/01/2006 15:04"}},
		{stampMillis, "2013-02-01 10:00:00", `"2013-02-01T10:00:00Z"`, rowplan.Options{TimeFormat: "%Y-%m-%d %H:%M:%S"}},
		{stampMillis, "1357034400", `"2013-01-01T10:00:00Z"`, rowplan.Options{TimeFormat: "epoch-s"}},
		{stampMillis, "-1500000", `"1969-12-31T23:59:58.5Z"`, rowplan.Options{TimeFormat: "epoch-us"}},
		{stampNanos, "1357034400", `"1970-01-01T00:00:01.3570344Z"`, rowplan.Options{TimeFormat: "epoch"}},
		{date, "1.2.2013", `"2013-02-01"`, rowplan.Options{DateFormat: "2.1.2006"}},
		{date, "20130201", `"2013-02-01"`, rowplan.Options{Columns: map[string]rowplan.Column{"v": {Format: "%Y%m%d"}}}},
		{clockMillis, "3:04PM", `"15:04:00"`, rowplan.Options{Columns: map[string]rowplan.Column{"v": {Format: "3:04PM"}}}},
	} {
		if got, err := shown(t, c.fieldType, c.cell, c.o); err != nil || got != c.want {
			t.Errorf("%s %q: %s, %v; want %s", c.fieldType, c.cell, got, err, c.want)
		}
	}
	for _, format := range []string{"%Q", "yyyy", "%"} {
		if _, err := rowplan.Compile(record(date), []string{"v"}, rowplan.Options{DateFormat: format}); !errors.Is(err, rowplan.ErrHeader) {
			t.Errorf("format %q: %v", format, err)
		}
	}
}

func TestNullsAndQuotes(t *testing.T) {
	nulls := rowplan.Options{Nulls: []string{"NA", "-999"}}
	for _, c := range []struct {
		fieldType, cell string
		quoted          bool
		o               rowplan.Options
		want            string
	}{
		{`["null","string"]`, "", true, rowplan.Options{}, `""`}, {`["null","string"]`, "", true, rowplan.Options{Nulls: []string{""}}, `""`},
		{`["null","string"]`, "NA", false, nulls, "null"}, {`["null","string"]`, "NA", true, nulls, "null"}, {`["null","int"]`, "-999", false, nulls, "null"},
		{`["null","string"]`, "NA", false, rowplan.Options{}, `"NA"`}, {`["null","int"]`, "", true, rowplan.Options{}, "type"},
		{`"string"`, "NA", false, nulls, "null!"}, {`"string"`, "", false, nulls, `""`}, {`["null","int"]`, " 5 ", false, rowplan.Options{Trim: true}, "5"},
		{`["null","string"]`, " NA\t", false, rowplan.Options{Trim: true, Nulls: []string{"NA"}}, "null"},
		{`["null","string"]`, " x", true, rowplan.Options{Trim: true}, `" x"`}, {`["null","string"]`, " x", false, rowplan.Options{}, `" x"`},
		{`["null","int"]`, "?", false, rowplan.Options{Columns: map[string]rowplan.Column{"v": {Nulls: []string{"?"}}}}, "null"},
	} {
		var quoted rowplan.Bits
		if c.quoted {
			quoted = quoted.With(0)
		}
		out, err := compile(t, record(c.fieldType), []string{"v"}, c.o).Append(nil, [][]byte{[]byte(c.cell)}, quoted)
		got := ""
		if bad := (*rowplan.CellError)(nil); errors.As(err, &bad) {
			got = bad.Code
			if got == "null" {
				got = "null!"
			}
		} else {
			w, _ := rowplan.Walk(record(c.fieldType))
			line, _ := w.AppendJSON(nil, out)
			got = strings.TrimSuffix(strings.TrimPrefix(string(line), `{"v":`), "}")
		}
		if got != c.want {
			t.Errorf("%s %q quoted %v: %s, want %s", c.fieldType, c.cell, c.quoted, got, c.want)
		}
	}
}
