package rowstest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// goWitness compares a table with a topic by encoding/csv and hamba/avro: each row under its line, each value by its type in the schema.
type goWitness struct {
	*stack
	topic  string
	schema string
	nulls  string
	skip   map[int]bool // lines of rows that must not have arrived
}

// compare reads both and reports the first differences.
func (w goWitness) compare(file string) {
	w.t.Helper()
	rows := w.readCSV(file)
	types := w.fieldTypes()
	schema, err := avro.Parse(w.schema)
	w.must(err)
	wrong := 0
	n := w.each(w.topic, func(r *kgo.Record) {
		line, _ := strconv.Atoi(header(r, "line"))
		row, ok := rows[line]
		delete(rows, line)
		if header(r, "file") != file || r.Value[0] != 0 || !ok {
			w.t.Errorf("record of %s line %d: no such row, or twice", header(r, "file"), line)
			wrong++
			return
		}
		values := map[string]any{}
		if err := avro.Unmarshal(schema, r.Value[5:], &values); err != nil || binary.BigEndian.Uint32(r.Value[1:]) == 0 {
			w.t.Errorf("line %d: %v", line, err)
			wrong++
			return
		}
		for name, cell := range row {
			if want := expected(types[name], cell, w.nulls); !same(values[name], want) && wrong < 10 {
				w.t.Errorf("line %d, %s: %q arrived as %v (%T), want %v (%T)", line, name, cell, values[name], values[name], want, want)
				wrong++
			}
		}
	})
	if len(rows) > 0 {
		w.t.Errorf("%d rows of %d have not arrived", len(rows), int(n)+len(rows))
	}
}

// readCSV gives the rows by the line that each begins in.
func (w goWitness) readCSV(file string) map[int]map[string]string {
	in, err := os.Open(file)
	w.must(err)
	defer in.Close()
	var text io.Reader = in
	if strings.HasSuffix(file, ".gz") {
		text, err = gzip.NewReader(in)
		w.must(err)
	}
	reader := csv.NewReader(&skipLines{text: bytes.Buffer{}, from: text, skip: w.skip})
	reader.FieldsPerRecord = -1
	head, err := reader.Read()
	w.must(err)
	rows := map[int]map[string]string{}
	for {
		cells, err := reader.Read()
		if err == io.EOF {
			return rows
		}
		w.must(err)
		line, _ := reader.FieldPos(0)
		row := map[string]string{}
		for i, cell := range cells {
			row[head[i]] = cell
		}
		rows[line] = row
	}
}

// skipLines makes the lines in skip empty, so that encoding/csv passes over them and counts on.
type skipLines struct {
	from io.Reader
	text bytes.Buffer
	skip map[int]bool
	read bool
}

func (s *skipLines) Read(p []byte) (int, error) {
	if !s.read {
		all, err := io.ReadAll(s.from)
		if err != nil {
			return 0, err
		}
		for i, line := range bytes.SplitAfter(all, []byte{'\n'}) {
			if s.skip[i+1] {
				line = []byte{'\n'}
			}
			s.text.Write(line)
		}
		s.read = true
	}
	return s.text.Read(p)
}

// fieldTypes gives for each field the name of its type, the logical one before the plain, without null.
func (w goWitness) fieldTypes() map[string]string {
	var record struct {
		Fields []struct {
			Name string
			Type any
		}
	}
	w.must(json.Unmarshal([]byte(w.schema), &record))
	types := map[string]string{}
	for _, f := range record.Fields {
		types[f.Name] = typeName(f.Type)
	}
	return types
}

func typeName(v any) string {
	switch v := v.(type) {
	case []any:
		for _, branch := range v {
			if name := typeName(branch); name != "null" {
				return name
			}
		}
	case map[string]any:
		if logical, ok := v["logicalType"].(string); ok {
			return logical
		}
		return v["type"].(string)
	case string:
		return v
	}
	return "null"
}

// expected is what a cell means, by the standard library's parsers alone.
func expected(kind, cell, null string) any {
	if cell == null {
		return nil
	}
	switch kind {
	case "int", "long":
		n, _ := strconv.ParseInt(cell, 10, 64)
		return n
	case "double":
		x, _ := strconv.ParseFloat(cell, 64)
		return x
	case "boolean":
		return cell == "true"
	case "timestamp-millis", "timestamp-micros":
		at, _ := time.Parse(time.RFC3339, cell)
		return at
	case "date":
		at, _ := time.Parse(time.DateOnly, cell)
		return at
	case "decimal":
		x, _ := new(big.Rat).SetString(cell)
		return x
	case "array":
		var all []any
		_ = json.Unmarshal([]byte(cell), &all)
		return all
	}
	return cell
}

// same compares what hamba/avro gives with what is expected.
func same(got, want any) bool {
	if branch, ok := got.(map[string]any); ok && len(branch) == 1 { // a named or logical type in a union
		for _, v := range branch {
			got = v
		}
	}
	switch want := want.(type) {
	case int64:
		n, ok := got.(int)
		m, ok64 := got.(int64)
		return ok && int64(n) == want || ok64 && m == want
	case time.Time:
		at, ok := got.(time.Time)
		return ok && at.Equal(want)
	case *big.Rat:
		x, ok := got.(*big.Rat)
		if y, plain := got.(big.Rat); plain {
			x, ok = &y, true
		}
		return ok && x.Cmp(want) == 0
	case []any:
		return fmt.Sprint(got) == fmt.Sprint(want)
	case string:
		if b, ok := got.([4]byte); ok {
			return string(b[:]) == want
		}
	}
	return got == want
}

// python runs a script of testdata with the interpreter that scripts/setup-interop has set up; without one the test ends here.
func python(t *testing.T, script string, args ...string) string {
	t.Helper()
	interpreter, err := filepath.Abs("../../.cache/venv/bin/python")
	if err == nil {
		_, err = os.Stat(interpreter)
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("Python is not set up, and CI=true: run scripts/setup-interop (%v)", err)
		}
		t.Skipf("skipped: Python is not set up: run scripts/setup-interop (%v)", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter, append([]string{filepath.Join("testdata", script)}, args...)...)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, words.String())
	}
	return string(out)
}
