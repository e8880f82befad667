package client_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"stripeline/schemas/client"
)

func TestCompare(t *testing.T) {
	fields := func(list string) string { return `{"type":"record","name":"R","fields":[` + list + `]}` }
	for _, c := range []struct {
		name, old, new    string
		backward, forward bool
		changes           string
	}{
		{"same", fields(`{"name":"a","type":"int"}`), `{"name":"R","type":"record","fields":[{"type":{"type":"int"},"name":"a"}]}`, true, true, ``},
		{"field added", fields(``), fields(`{"name":"a","type":"int"}`), false, true, `a: field of type int was added without a default`},
		{"field with default", fields(``), fields(`{"name":"a","type":"int","default":7}`), true, true, `a: field of type int was added with default 7`},
		{"field removed", fields(`{"name":"a","type":"int"}`), fields(``), true, false, `a: field was removed`},
		{"renamed", fields(`{"name":"a","type":"int"}`), fields(`{"name":"b","type":"int","aliases":["a"]}`), true, false, `b: field is called b instead of a, which stays its alias`},
		{"widened", fields(`{"name":"a","type":"int"}`), fields(`{"name":"a","type":"long"}`), true, false, `a: int became long`},
		{"default", fields(`{"name":"a","type":"int","default":1}`), fields(`{"name":"a","type":"int"}`), true, true, `a: default 1 was removed`},
		{"symbols", `{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B","C"]}`, false, false, `: enum E has a new symbol C; : enum E has lost its symbol A`},
		{"union", `["null","int"]`, `["null","string"]`, false, false, `: union takes string as well; : union takes int no more`},
		{"fixed", `{"type":"fixed","name":"F","size":1}`, `{"type":"fixed","name":"F","size":2}`, false, false, `: fixed F has 2 bytes instead of 1`},
		{"scale", `{"type":"bytes","logicalType":"decimal","precision":8,"scale":2}`, `{"type":"bytes","logicalType":"decimal","precision":8,"scale":3}`, true, true,
			`: decimal(8,2) became decimal(8,3) !no compatibility level stops this, but values written as decimal(8,2) will be read as decimal(8,3)`},
		{"unit", `{"type":"array","items":{"type":"long","logicalType":"timestamp-millis"}}`, `{"type":"array","items":{"type":"long","logicalType":"timestamp-micros"}}`, true, true,
			`[]: timestamp-millis became timestamp-micros !no compatibility level stops this, but values written as timestamp-millis will be read as timestamp-micros`},
		{"recursive", fields(`{"name":"r","type":["null","R"]}`), fields(`{"name":"r","type":["null","R"]},{"name":"x","type":"int"}`), false, true, `x: field of type int was added without a default`},
	} {
		got, err := client.Compare(c.old, c.new)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var lines []string
		for _, change := range got.Changes {
			line := change.Path + ": " + change.What
			if change.Warning != "" {
				line += " !" + change.Warning
			}
			lines = append(lines, line)
		}
		if changes := strings.Join(lines, "; "); changes != c.changes {
			t.Errorf("%s: changes\n got %s\nwant %s", c.name, changes, c.changes)
		}
		if (got.NewReadsOld == nil) != c.backward || (got.OldReadsNew == nil) != c.forward {
			t.Errorf("%s: new reads old: %v, old reads new: %v", c.name, got.NewReadsOld, got.OldReadsNew)
		}
		for level, want := range map[string]bool{"NONE": true, "BACKWARD": c.backward, "FORWARD_TRANSITIVE": c.forward, "FULL": c.backward && c.forward} {
			if err := got.Satisfies(level); (err == nil) != want || (err != nil && !errors.Is(err, client.ErrIncompatible)) {
				t.Errorf("%s under %s: %v", c.name, level, err)
			}
		}
	}
	if _, err := client.Compare(`"int"`, `"rubbish"`); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("rubbish: %v", err)
	}
}

// rows is a table of lines of cells separated by bars.
func rows(name, header string, lines ...string) client.Table {
	at := 0
	return client.Table{Name: name, Header: strings.Split(header, "|"), Next: func() ([]string, error) {
		if at >= len(lines) {
			return nil, io.EOF
		}
		at++
		return strings.Split(lines[at-1], "|"), nil
	}}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{"1|2|-3", `"int"`},
		{"1||3", `["null","int"]`},
		{"1|NA|3", `["null","int"]`},
		{"1|3000000000", `"long"`},
		{"1|99999999999999999999", `{"type":"bytes","logicalType":"decimal","precision":20,"scale":0}`},
		{"1|2.5|-1e3", `"double"`},
		{"1.5|0.12345678901234567", `{"type":"bytes","logicalType":"decimal","precision":18,"scale":17}`},
		{"007|8", `"string"`},
		{"+49|8", `"string"`},
		{"true|FALSE", `"boolean"`},
		{"true|1", `"string"`},
		{"2024-02-29|2023-01-01", `{"type":"int","logicalType":"date"}`},
		{"2023-02-29|2023-01-01", `"string"`},
		{"23:59|00:00:01", `{"type":"int","logicalType":"time-millis"}`},
		{"23:59:00.123456|00:00", `{"type":"long","logicalType":"time-micros"}`},
		{"2024-01-01T00:00:00Z|2024-01-01 00:00:00.5+02:00", `{"type":"long","logicalType":"timestamp-millis"}`},
		{"2024-01-01T00:00:00.000001Z", `{"type":"long","logicalType":"timestamp-micros"}`},
		{"2024-01-01T00:00:00.0000001Z", `"string"`},
		{"2024-01-01 00:00:00", `{"type":"long","logicalType":"local-timestamp-millis"}`},
		{"2024-01-01 00:00:00|2024-01-01", `"string"`},
		{"123e4567-e89b-12d3-a456-426614174000", `{"type":"string","logicalType":"uuid"}`},
		{"|", `["null","string"]`},
		{"x|1", `"string"`},
	} {
		got, err := client.Infer(rows("t", "c", strings.Split(c.values, "|")...), client.InferOptions{Nulls: []string{"NA"}})
		null := ""
		if strings.HasPrefix(c.want, "[") {
			null = `,"default":null`
		}
		want := `{"type":"record","name":"t","fields":[{"name":"c","type":` + c.want + null + `}]}`
		if err != nil || got.Schema != want {
			t.Errorf("%s:\n got %s %v\nwant %s", c.values, got.Schema, err, want)
		}
	}
}

func TestInferTable(t *testing.T) {
	got, err := client.Infer(rows("my flights", "flight no|1st|b", "7|x", "8|y|true|extra", "broken"), client.InferOptions{Rows: 2})
	want := `{"type":"record","name":"my_flights","fields":[{"name":"flight_no","type":"int","aliases":["flight no"]},{"name":"_1st","type":"string","aliases":["1st"]},{"name":"b","type":["null","boolean"],"default":null}]}`
	if err != nil || got.Schema != want || got.Rows != 2 || len(got.Notes) != 1 {
		t.Errorf("got %+v %v\nwant %s", got, err, want)
	}
	for _, header := range []string{"", "a||b", "a b|a_b"} {
		if _, err := client.Infer(rows("t", header), client.InferOptions{}); !errors.Is(err, client.ErrHeader) {
			t.Errorf("header %q: %v", header, err)
		}
	}
	bad := client.Table{Name: "t", Header: []string{"a"}, Next: func() ([]string, error) { return nil, fmt.Errorf("disk: %w", io.ErrUnexpectedEOF) }}
	if _, err := client.Infer(bad, client.InferOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("failing rows: %v", err)
	}
}
