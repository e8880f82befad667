package rowshape_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"stripeline/schemas/rowshape"
)

const everything = `{"type":"record","name":"all","namespace":"t","fields":[
 {"name":"flag","type":"boolean"},
 {"name":"small","type":"int"},
 {"name":"big","type":"long"},
 {"name":"single","type":"float"},
 {"name":"real","type":"double"},
 {"name":"raw","type":"bytes"},
 {"name":"text","type":"string"},
 {"name":"maybe","type":["null","string"],"default":null},
 {"name":"day","type":{"type":"int","logicalType":"date"}},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
 {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
 {"name":"color","type":{"type":"enum","name":"color","symbols":["RED","BLUE"]}},
 {"name":"sum","type":{"type":"fixed","name":"sum","size":4}},
 {"name":"list","type":{"type":"array","items":"long"}},
 {"name":"dict","type":{"type":"map","values":"string"}},
 {"name":"inner","type":["null",{"type":"record","name":"inner","fields":[{"name":"next","type":["null","inner"]},{"name":"n","type":"int"}]}]}
]}`

func everythingValue() map[string]any {
	return map[string]any{
		"flag": true, "small": int32(-7), "big": int64(1 << 40), "single": float32(0.5), "real": 1e300, "raw": []byte{0, 255},
		"text": "grün", "maybe": nil, "day": time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC),
		"at": time.Date(2013, 1, 1, 5, 0, 0, 123456000, time.UTC), "price": big.NewRat(-5, 100), "color": "BLUE",
		"sum": []byte{1, 2, 3, 4}, "list": []any{int64(1), int64(-2)}, "dict": map[string]any{"k": "v"},
		"inner": map[string]any{"next": nil, "n": int32(3)},
	}
}

func TestValueAgreesWithTheLibrary(t *testing.T) {
	payload, err := avro.MustParse(everything).Encode(everythingValue())
	if err != nil {
		t.Fatal(err)
	}
	shape, err := rowshape.Parse(everything)
	if err != nil {
		t.Fatal(err)
	}
	offsets, err := shape.Offsets(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"flag": "true", "small": "-7", "big": "1099511627776", "single": "0.5", "real": "1e+300", "raw": "[0 255]", "text": "grün",
		"maybe": "<nil>", "day": "1969-12-31 00:00:00 +0000 UTC", "at": "2013-01-01 05:00:00.123456 +0000 UTC", "price": "-0.05",
		"color": "BLUE", "sum": "[1 2 3 4]", "list": "[1 -2]", "dict": "map[k:v]", "inner": "map[n:3 next:<nil>]",
	}
	for i, f := range shape.Fields {
		v, err := f.Type.Value(payload[offsets[i]:offsets[i+1]])
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if got := fmt.Sprint(v); got != want[f.Name] {
			t.Errorf("%s = %s, want %s", f.Name, got, want[f.Name])
		}
	}
}

func TestAppendGivesTheBytesOfTheLibrary(t *testing.T) {
	payload, err := avro.MustParse(everything).Encode(everythingValue())
	if err != nil {
		t.Fatal(err)
	}
	shape, _ := rowshape.Parse(everything)
	offsets, err := shape.Offsets(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i, f := range shape.Fields {
		v, err := f.Type.Value(payload[offsets[i]:offsets[i+1]])
		if err != nil {
			t.Fatal(err)
		}
		if out, err = f.Type.Append(out, v); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	var back any
	rest, err := avro.MustParse(everything).Decode(out, &back)
	if err != nil || len(rest) != 0 {
		t.Fatalf("library: %v, %d bytes left", err, len(rest))
	}
	again, err := avro.MustParse(everything).Encode(back)
	if err != nil || string(again) != string(payload) {
		t.Fatalf("after a round: %x, want %x (%v)", again, payload, err)
	}
}

func TestAnyRecordComesBackByteForByte(t *testing.T) {
	shape, err := rowshape.Parse(everything)
	if err != nil {
		t.Fatal(err)
	}
	schema := avro.MustParse(everything)
	rapid.Check(t, func(t *rapid.T) {
		v := everythingValue()
		v["small"], v["big"] = rapid.Int32().Draw(t, "small"), rapid.Int64().Draw(t, "big")
		v["single"], v["real"] = rapid.Float32().Draw(t, "single"), rapid.Float64().Draw(t, "real")
		v["raw"], v["text"] = rapid.SliceOf(rapid.Byte()).Draw(t, "raw"), rapid.String().Draw(t, "text")
		cents := rapid.OneOf(rapid.Int64Range(-999999999, 999999999), rapid.SampledFrom([]int64{-1, -128, -129, 127, 128, -32768, -32769, -1 << 23}))
		v["price"] = big.NewRat(cents.Draw(t, "cents"), 100)
		v["at"] = time.UnixMicro(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "at")).UTC()
		v["day"] = time.Unix(86400*rapid.Int64Range(-1<<20, 1<<20).Draw(t, "day"), 0).UTC()
		v["list"] = rapid.SliceOf(rapid.Map(rapid.Int64(), func(n int64) any { return n })).Draw(t, "list")
		payload, err := schema.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		offsets, err := shape.Offsets(nil, payload)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range shape.Fields {
			field := payload[offsets[i]:offsets[i+1]]
			value, err := f.Type.Value(field)
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if again, err := f.Type.Append(nil, value); err != nil || string(again) != string(field) {
				t.Fatalf("%s: %v gives %x (%v), want %x", f.Name, value, again, err, field)
			}
		}
	})
}

func TestOffsetsRefusesEveryCutAndTail(t *testing.T) {
	payload, _ := avro.MustParse(everything).Encode(everythingValue())
	shape, _ := rowshape.Parse(everything)
	for n := range payload {
		if _, err := shape.Offsets(nil, payload[:n]); err == nil {
			t.Errorf("%d of %d bytes accepted", n, len(payload))
		}
	}
	if _, err := shape.Offsets(nil, append(payload[:len(payload):len(payload)], 0)); err == nil {
		t.Error("a byte behind the record accepted")
	}
}

func TestAppendRefusesWhatDoesNotFit(t *testing.T) {
	shape, _ := rowshape.Parse(everything)
	cents := func(n int64, scale int) rowshape.Number {
		return rowshape.Number{Unscaled: big.NewInt(n), Scale: scale}
	}
	for _, c := range []struct {
		field string
		value any
	}{
		{"small", int64(1 << 31)}, {"flag", "true"}, {"text", "a\xff"}, {"text", nil}, {"color", "GREEN"}, {"sum", []byte{1}},
		{"price", cents(12345, 3)}, {"price", cents(1e9, 2)}, {"single", 1e300}, {"list", []any{"x"}}, {"maybe", int64(3)},
	} {
		f := shape.Fields[shape.Index(c.field)]
		if _, err := f.Type.Append(nil, c.value); err == nil {
			t.Errorf("%s took %v", c.field, c.value)
		}
	}
	if got := cents(-5, 2).String(); got != "-0.05" {
		t.Errorf("decimal text %s", got)
	}
}

func FuzzOffsetsAndValue(f *testing.F) {
	payload, _ := avro.MustParse(everything).Encode(everythingValue())
	f.Add(payload)
	shape, _ := rowshape.Parse(everything)
	f.Fuzz(func(t *testing.T, b []byte) {
		offsets, err := shape.Offsets(nil, b)
		if err != nil {
			return
		}
		for i, field := range shape.Fields {
			_, _ = field.Type.Value(b[offsets[i]:offsets[i+1]])
		}
	})
}

func TestResolve(t *testing.T) {
	writer := `{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"gone","type":"string"},{"name":"u","type":["null","string"]}]}`
	reader := `{"type":"record","name":"r","fields":[{"name":"u","type":["string","null","long"]},{"name":"a","type":"long"},{"name":"b","type":"string","default":"d"}]}`
	resolve, err := rowshape.Resolve(writer, reader)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := avro.MustParse(writer).Encode(map[string]any{"a": int32(7), "gone": "x", "u": "text"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := resolve(payload)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := avro.MustParse(reader).Encode(map[string]any{"a": int64(7), "b": "d", "u": "text"})
	if string(out) != string(want) {
		t.Errorf("%x, want %x", out, want)
	}
	if _, err := resolve(payload[:3]); err == nil {
		t.Error("a cut record was resolved")
	}
	_, err = rowshape.Resolve(writer, `{"type":"record","name":"r","fields":[{"name":"c","type":"int"}]}`)
	if err == nil {
		t.Error("an incompatible pair was resolved")
	}
}
