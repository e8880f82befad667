package rowplan

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestPlainDoubleIsWhatStrconvReads compares the short way with the long one, for texts of up to 17 digits with and without a point.
func TestPlainDoubleIsWhatStrconvReads(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?[0-9]{0,9}\.?[0-9]{0,8}`).Draw(t, "text")
		got, ok := plainDouble([]byte(text))
		if !ok {
			return
		}
		taken++
		if want, err := strconv.ParseFloat(text, 64); err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q = %v, strconv says %v (%v)", text, got, want, err)
		}
	})
	for _, text := range []string{"", "-", ".", "-.", "1e5", "NaN", "1.2.3", "1234567890123456", "0x1", "1_0", " 1"} {
		if v, ok := plainDouble([]byte(text)); ok {
			t.Errorf("%q is taken for %v", text, v)
		}
	}
	if taken == 0 {
		t.Error("nothing was taken")
	}
}
