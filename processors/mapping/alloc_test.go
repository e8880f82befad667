package mapping

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDirectTakesNoMemory: what comes out without CEL takes no memory from record to record. A pattern may: its machines are pooled by package
// regexp, which loses them at times.
func TestDirectTakesNoMemory(t *testing.T) {
	d := newDiffer(t)
	rows := rapid.Custom(func(t *rapid.T) []byte { return directRow(t, d.shape) })
	for _, kind := range directKinds {
		for _, text := range constructs[kind] {
			x, err := d.compiler.compile(entry{text: text})
			if err != nil {
				t.Fatal(err)
			}
			asked := false
			write := directWriter(x, d.fields[kind][0], func(dst []byte, _ *scratch) ([]byte, error) {
				asked = true
				return dst, nil
			})
			var dst []byte
			for seed := range 20 {
				payload := rows.Example(seed)
				asked = false
				taken := testing.AllocsPerRun(5, func() {
					_ = d.scratch.load(payload)
					dst, _ = write(dst[:0], d.scratch)
					d.scratch.release()
				})
				if !asked && taken > 0 && !strings.Contains(text, "matches") {
					t.Errorf("%s takes memory %v times for a record", text, taken)
				}
			}
		}
	}
}
