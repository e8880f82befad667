package rowshape

import (
	"testing"

	"pgregory.net/rapid"
)

const walked = `{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","int"]},{"name":"c","type":["double","null"]},
 {"name":"d","type":["null","string"]},{"name":"e","type":{"type":"fixed","name":"f","size":3}},{"name":"g","type":["null","long","string","boolean","float"]},
 {"name":"h","type":{"type":"enum","name":"en","symbols":["x","y"]}},{"name":"i","type":["null",{"type":"array","items":"int"}]},{"name":"j","type":"bytes"}]}`

func walkedShape(t testing.TB) *Shape {
	t.Helper()
	s, err := Parse(walked)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestShortSizesAreWhatSkippingSays, of any bytes, and are known where nothing is unusual.
func TestShortSizesAreWhatSkippingSays(t *testing.T) {
	s := walkedShape(t)
	known := 0
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.OneOf(rapid.ByteRange(0, 8), rapid.Byte()), 0, 12).Draw(t, "bytes")
		for i := range s.Fields {
			n := shortSize(s.Fields[i].Type, b)
			if n == 0 {
				continue
			}
			known++
			if rest, err := skip(s.Fields[i].Type, b, 0); err != nil || len(b)-len(rest) != n {
				t.Fatalf("%s of %x: %d bytes; skipping leaves %x, %v", s.Fields[i].Type, b, n, rest, err)
			}
		}
	})
	if known == 0 {
		t.Error("no size was known")
	}
	for i, c := range []struct {
		bytes string
		size  int
	}{{"\x02", 1}, {"\x02\x82\x03", 3}, {"\x0012345678", 9}, {"\x02\x04abc", 4}, {"abc", 0}, {"\x06\x01", 2}, {"\x02", 1}, {"\x02\x00", 0}, {"\x04ab", 3}} {
		if n := shortSize(s.Fields[i].Type, []byte(c.bytes)); n != c.size {
			t.Errorf("%s of %x: %d bytes, want %d", s.Fields[i].Type, c.bytes, n, c.size)
		}
	}
}

func BenchmarkOffsets(b *testing.B) {
	s := walkedShape(b)
	payload := []byte("\x02\x02\x82\x03\x0012345678\x02\x04ababc\x06\x01\x02\x00\x04ab")
	var offsets []int
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if offsets, err = s.Offsets(offsets[:0], payload); err != nil {
			b.Fatal(err)
		}
	}
}
