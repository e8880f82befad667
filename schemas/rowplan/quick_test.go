package rowplan_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stripeline/schemas/rowplan"
)

// TestQuickCellsAreWhatCarefulOnesAre compares two ways to the same bytes: cells that may have to be trimmed are never written the quick way.
func TestQuickCellsAreWhatCarefulOnesAre(t *testing.T) {
	types := []string{`"int"`, `"long"`, `"double"`, `"string"`, stampMillis, `{"type":"long","logicalType":"timestamp-nanos"}`}
	var fields, header []string
	for i, text := range types {
		fields = append(fields, fmt.Sprintf(`{"name":"a%d","type":%s}`, i, text), fmt.Sprintf(`{"name":"b%d","type":["null",%s]}`, i, text))
		header = append(header, fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i))
	}
	schema := `{"type":"record","name":"r","fields":[` + strings.Join(fields, ",") + `]}`
	nulls := []string{"", "NA", "-", "2199"}
	quickly := compile(t, schema, header, rowplan.Options{Nulls: nulls})
	carefully := compile(t, schema, header, rowplan.Options{Nulls: nulls, Trim: true})
	compare := func(t interface{ Fatalf(string, ...any) }, column int, text string) bool {
		cells := make([][]byte, len(header))
		for i := range cells {
			cells[i] = []byte("7")
		}
		cells[column] = []byte(text)
		got, gotErr := quickly.Append(nil, cells, nil)
		want, wantErr := carefully.Append(nil, cells, nil)
		var cell *rowplan.CellError
		if !bytes.Equal(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || gotErr != nil && !errors.As(gotErr, &cell) {
			t.Fatalf("%s: %q: %x %v; carefully %x %v", header[column], text, got, gotErr, want, wantErr)
		}
		return gotErr == nil
	}
	seen := map[bool]int{}
	for _, text := range append(nulls, "0", "63", "64", "999999999", "1000000000", "-1", "+1", "1.5", "-0", ".", "1e3", "é", "\xff", strings.Repeat("x", 63), strings.Repeat("x", 64),
		"0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2013-02-29T00:00:00Z",
		"2012-02-29T00:00:00Z", "2013-01-01 00:00:00Z", "2013-01-01T24:00:00Z", "2013-01-01T00:60:00Z", "2013-01-01T00:00:60Z", "2013-01-01T00:00:00z") {
		for column := range header {
			seen[compare(t, column, text)]++
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("cells that fit and do not: %v", seen)
	}
	texts := rapid.OneOf(rapid.StringMatching(`-?[0-9]{1,11}(\.[0-9]{0,4})?`), rapid.StringMatching(`[A-Z]{0,3}é?`),
		rapid.StringMatching(`(19[67]|20[0-4]|2[12]9)[0-9]-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])[T ]([01][0-9]|2[0-4]):[0-5]9:[0-6]0(Z|\+01:00|)`))
	rapid.Check(t, func(t *rapid.T) {
		compare(t, rapid.IntRange(0, len(header)-1).Draw(t, "column"), texts.Draw(t, "cell"))
	})
}
