package rowplan_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"stripeline/schemas/rowplan"
)

const seat = `{"type":"record","name":"Seat","fields":[
	{"name":"flight","type":"int","aliases":["number"]},{"name":"row","type":["null","string"],"default":null}]}`

func TestKeys(t *testing.T) {
	const placed = `{"type":"record","name":"Placed","fields":[{"name":"row","type":"string"},
		{"name":"at","type":["null",{"type":"record","name":"At","fields":[{"name":"street","type":"string"}]}],"default":null}]}`
	header := []string{"name", "number", "row", "name", "at.street"}
	for _, c := range []struct {
		schema, columns, cells, want string
	}{
		{placed, "row", "x|7|9a|y|High St", "\x049a\x00"}, {placed, "at.street,row", "x|7|9a|y|High St", "\x049a\x02\x0eHigh St"},
		{`"string"`, "row", "x|7|9a|y", "\x049a"}, {`"string"`, "row", "x|7||y", "\x00"}, {`"int"`, "number", "x|7|9a|y", "\x0e"},
		{`["null","string"]`, "row", "x|7||y", "\x00"}, {`["null","string"]`, "row", "x|7|NA|y", "\x00"}, {`["null","string"]`, "row", "x|7|a|y", "\x02\x02a"},
		{`{"type":"string","logicalType":"uuid"}`, "row", "x|7|6ba7b810-9dad-11d1-80b4-00c04fd430c8|y", "\x486ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{enum, "row", "x|7|GREEN|y", "\x02"}, {fixed4, "row", "x|7|abcd|y", "abcd"}, {`{"type":"array","items":"int"}`, "row", "x|7|[1]|y", "\x02\x02\x00"},
		{seat, "number", "x|7|9a|y", "\x0e\x00"}, {seat, "row,number", "x|7|9a|y", "\x0e\x02\x049a"}, {seat, "number,row", "x|7|NA|y", "\x0e\x00"},
	} {
		plan, err := rowplan.CompileKey(c.schema, rowplan.Keying{Header: header, Columns: strings.Split(c.columns, ",")}, rowplan.Options{Nulls: []string{"NA"}})
		if err != nil {
			t.Errorf("%s of %s: %v", c.schema, c.columns, err)
			continue
		}
		cells := bytes.Split([]byte(c.cells), []byte("|"))
		if len(cells) < len(header) {
			cells = append(cells, nil)
		}
		if got, err := plan.Append(nil, cells, nil); err != nil || string(got) != c.want {
			t.Errorf("%s of %s in %q: %q, %v; want %q", c.schema, c.columns, c.cells, got, err, c.want)
		}
	}
}

func TestBadKeys(t *testing.T) {
	header := []string{"name", "number", "row", "name"}
	for _, c := range []struct{ schema, columns, want string }{
		{`"string"`, "row,number", "takes one column, not 2 (row, number)"}, {`"string"`, "seat", `key column "seat" is not in it`},
		{`"string"`, "name", `key column "name" is there twice`}, {seat, "number,number", `key column "number" is named twice`},
		{seat, "row", `no column of the key for "flight"`}, {seat, "number,name", `key column "name" is there twice`},
		{`{"type":"record","name":"r","fields":[{"name":"row","type":"string"}]}`, "row,number", `column "number" is no field of the key's schema, record r`},
	} {
		_, err := rowplan.CompileKey(c.schema, rowplan.Keying{Header: header, Columns: strings.Split(c.columns, ",")}, rowplan.Options{IgnoreExtra: true})
		if !errors.Is(err, rowplan.ErrHeader) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %s: %v; want %s", c.schema, c.columns, err, c.want)
		}
	}
}

func TestBadKeyCell(t *testing.T) {
	plan, err := rowplan.CompileKey(`"int"`, rowplan.Keying{Header: []string{"a", "b"}, Columns: []string{"b"}}, rowplan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for cell, code := range map[string]string{"": "null", "x": "type", "3000000000": "range"} {
		_, err = plan.Append(nil, [][]byte{[]byte("1"), []byte(cell)}, nil)
		var wrong *rowplan.CellError
		if !errors.As(err, &wrong) || wrong.Code != code || wrong.Column != "b" || wrong.Index != 1 || wrong.Expected != "int" || string(wrong.Value) != cell {
			t.Errorf("%q: %+v; want %s in column b", cell, err, code)
		}
	}
}

// TestKeyAgainstJudge: the bytes of a key are those that twmb/avro writes, of a schema of any type and of a record, among columns that are no part of it.
func TestKeyAgainstJudge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, "key")
		if s.cell == "NULL" && s.value != nil {
			return
		}
		schema, value := s.fieldType, s.value
		if rapid.Bool().Draw(t, "in a record") {
			schema, value = fmt.Sprintf(`{"type":"record","name":"r","fields":[{"name":"v","type":%s}]}`, schema), map[string]any{"v": value}
		}
		want, err := avro.MustParse(schema).Encode(value)
		if err != nil {
			t.Fatalf("judge on %s: %v", schema, err)
		}
		plan, err := rowplan.CompileKey(schema, rowplan.Keying{Header: []string{"a", "v", "b"}, Columns: []string{"v"}}, rowplan.Options{Nulls: []string{"NULL"}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := plan.Append(nil, [][]byte{[]byte("left"), []byte(s.cell), []byte("out")}, nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s of %q: %x, %v; judge %x", schema, s.cell, got, err, want)
		}
	})
}
