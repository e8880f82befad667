package mapping

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stripeline/schemas/rowshape"
)

func logical(kind, name string) string { return `{"type":"` + kind + `","logicalType":"` + name + `"}` }

func decimals(precision, scale int) string {
	return `{"type":"bytes","logicalType":"decimal","precision":` + big.NewInt(int64(precision)).String() + `,"scale":` + big.NewInt(int64(scale)).String() + `}`
}

// directSchema has a field of each type that is read directly, some that are not, and n before the name of those that may be null.
var directSchema = `{"type":"record","name":"in","fields":[
 {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"b","type":"boolean"},{"name":"nb","type":["boolean","null"]},
 {"name":"s","type":"string"},{"name":"ni","type":["null","long"]},{"name":"nd","type":["double","null"]},{"name":"ns","type":["null","string"]},
 {"name":"en","type":{"type":"enum","name":"en","symbols":["a","x"]}},{"name":"u","type":` + logical("string", "uuid") + `},
 {"name":"dt","type":` + logical("int", "date") + `},{"name":"tm","type":` + logical("int", "time-millis") + `},
 {"name":"tu","type":["null",` + logical("long", "time-micros") + `]},{"name":"ts","type":` + logical("long", "timestamp-millis") + `},
 {"name":"lu","type":` + logical("long", "local-timestamp-micros") + `},{"name":"nt","type":["null",` + logical("long", "timestamp-micros") + `]},
 {"name":"tn","type":` + logical("long", "timestamp-nanos") + `},
 {"name":"p","type":` + decimals(9, 2) + `},{"name":"np","type":["null",` + decimals(30, 4) + `]},
 {"name":"fp","type":{"type":"fixed","name":"fp","size":12,"logicalType":"decimal","precision":28,"scale":3}},
 {"name":"c","type":"string"},{"name":"any","type":["null","long","string"]},
 {"name":"rec","type":["null",{"type":"record","name":"rec","fields":[{"name":"n","type":"long"}]}]}]}`

// directRow draws a record of directSchema. A text may be no UTF-8, a number anything that has its size.
func directRow(t *rapid.T, shape *rowshape.Shape) []byte {
	var payload []byte
	for _, f := range shape.Fields {
		inner, nullable := f.Type.Nullable()
		if nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			payload, _ = f.Type.Append(payload, nil)
			continue
		}
		if inner.Kind == rowshape.Enum && rapid.IntRange(0, 9).Draw(t, "no symbol") == 0 {
			payload = binary.AppendVarint(payload, int64(len(inner.Symbols)))
			continue
		}
		if text, ok := drawText(t, f.Name, inner); ok {
			payload = append(payload, branchOf(f.Type)...)
			payload = append(binary.AppendVarint(payload, int64(len(text))), text...)
			continue
		}
		var err error
		if payload, err = f.Type.Append(payload, drawValue(t, inner)); err != nil {
			t.Fatal(f.Name, err)
		}
	}
	return payload
}

func drawText(t *rapid.T, field string, inner *rowshape.Type) (string, bool) {
	texts := []string{"x", "Xx", "", " a \n", "aXbXc", "ÜnïX", "-12", "1.50", "007", "true", "2013-01-31T23:59:59Z", "2013-02-29T00:00:00Z",
		"0000-01-01T00:00:00Z", "2024-02-29t10:00:00.123456789Z", "2024-02-29T10:00:00.5Z", "2024-02-29T10:00:00.Z", "2024-02-29T10:00:00+01:00", "2024-02-29T10:00:00,5Z", "1h30m", "-5ms", "0x1F", "010", "18446744073709551617", "1.2.3",
		"1e400", "9223372036854775808", "+5", ".5", "5.", ".", "-", "00000000000000000000000000.1", "0.0000000000000000000000", "\xff", "a\xc3"}
	if field == "c" {
		texts = []string{"UA", "XX", "ZZ", "EX"}
	}
	if inner.Kind != rowshape.String {
		return "", false
	}
	if field == "s" && rapid.Bool().Draw(t, "any text") {
		return rapid.String().Draw(t, "text"), true
	}
	return rapid.SampledFrom(texts).Draw(t, field), true
}

func drawValue(t *rapid.T, inner *rowshape.Type) any {
	whole := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, -1, 1 << 53, 1<<53 + 1, 1 << 24, 1<<24 + 1}))
	switch {
	case inner.Logical == rowshape.Decimal:
		return drawNumber(t, inner)
	case inner.Logical == rowshape.TimeMillis || inner.Logical == rowshape.TimeMicros:
		return rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64Range(0, 86_400_000), rapid.Int64Range(math.MinInt32, math.MaxInt32)).Draw(t, "time")
	case inner.Logical != "":
		return drawMoment(t, inner)
	case inner.Kind == rowshape.Union:
		return rapid.Int64Range(0, 9).Draw(t, "any")
	case inner.Kind == rowshape.Record:
		return map[string]any{"n": int64(1)}
	case inner.Kind == rowshape.Enum:
		return rapid.SampledFrom(inner.Symbols).Draw(t, "symbol")
	case inner.Kind == rowshape.Boolean:
		return rapid.Bool().Draw(t, "truth")
	case inner.Kind == rowshape.Int:
		return int64(rapid.Int32().Draw(t, "int"))
	case inner.Kind == rowshape.Long:
		return whole.Draw(t, "long")
	case inner.Kind == rowshape.Float:
		return float64(rapid.Float32().Draw(t, "float"))
	}
	return rapid.OneOf(rapid.Float64(), rapid.Float64Range(-5, 5), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), -1, 2.5, math.NaN(), math.Inf(1), 1e20, 1e39, 1 << 53})).Draw(t, "double")
}

// drawMoment draws the number of a date or a timestamp: near now, near the ends of CEL's time, or anything.
func drawMoment(t *rapid.T, inner *rowshape.Type) int64 {
	at := rapid.SampledFrom([]time.Time{time.Unix(0, 0), time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC), time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2013, 7, 4, 0, 0, 0, 0, time.UTC)}).Draw(t, "at")
	off := rapid.OneOf(rapid.Int64Range(-2, 2), rapid.Int64Range(-1e7, 1e7)).Draw(t, "off")
	anything := rapid.IntRange(0, 5).Draw(t, "anything") == 0
	switch inner.Logical {
	case rowshape.Date:
		if anything {
			return int64(rapid.Int32().Draw(t, "days"))
		}
		return at.Unix()/86400 + off/1000
	case rowshape.TimestampMillis:
		off += at.UnixMilli()
	case rowshape.TimestampNanos:
		off += time.Unix(1e9, 0).UnixNano()
	default:
		off += at.UnixMicro()
	}
	if anything {
		return rapid.Int64().Draw(t, "number")
	}
	return off
}

func drawNumber(t *rapid.T, inner *rowshape.Type) rowshape.Number {
	n := big.NewInt(rapid.OneOf(rapid.Int64Range(-999_999_999, 999_999_999), rapid.Int64Range(-200, 200), rapid.SampledFrom([]int64{0, 127, 128, -128, -129})).Draw(t, "unscaled"))
	if inner.Precision > 20 && rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
		edge := new(big.Int).Lsh(big.NewInt(1), rapid.SampledFrom([]uint{62, 63, 64}).Draw(t, "bits"))
		return rowshape.Number{Unscaled: n.Add(edge, big.NewInt(rapid.Int64Range(-1, 1).Draw(t, "beside"))), Scale: inner.Scale}
	}
	if inner.Precision > 20 && rapid.Bool().Draw(t, "long decimal") {
		n.Mul(n, big.NewInt(rapid.Int64Range(1, 1e18).Draw(t, "factor")))
	}
	return rowshape.Number{Unscaled: n, Scale: inner.Scale}
}

// directLookup is a table with a field of each type.
func directLookup(t *testing.T) *Lookup {
	rows := map[string]map[string]any{
		"UA": {"name": "United", "fleet": int64(900), "rate": 1.5, "hub": true, "since": time.Date(1926, 4, 6, 0, 0, 0, 0, time.UTC), "cut": 5 * time.Second,
			"price": rowshape.Number{Unscaled: big.NewInt(1250), Scale: 2}, "key": "XX"},
		"XX": {"name": "Nobody", "fleet": nil, "rate": nil, "hub": false, "since": nil, "cut": time.Duration(0), "price": nil, "key": nil},
		"EX": {"name": "x", "fleet": int64(math.MaxInt64), "rate": math.NaN(), "hub": true, "since": time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "cut": time.Hour,
			"price": rowshape.Number{Unscaled: new(big.Int).Lsh(big.NewInt(1), 80), Scale: 2}, "key": "UA"},
	}
	return &Lookup{Name: "air", Topic: "air", Find: func(key string) map[string]any { return rows[key] }, Shape: shapeOf(t, `{"type":"record","name":"row","fields":[
 {"name":"name","type":"string"},{"name":"fleet","type":["null","long"]},{"name":"rate","type":["null","double"]},{"name":"hub","type":"boolean"},
 {"name":"since","type":["null",`+logical("int", "date")+`]},{"name":"cut","type":`+logical("int", "time-millis")+`},
 {"name":"price","type":["null",`+decimals(30, 2)+`]},{"name":"key","type":["null","string"]}]}`)}
}
