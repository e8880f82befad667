package progress_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"testing"

	hamba "github.com/hamba/avro/v2"
	"pgregory.net/rapid"

	"stripeline/schemas"
	"stripeline/schemas/progress"
)

func TestKeys(t *testing.T) {
	long := bytes.Repeat([]byte("x"), progress.HeadSize+1)
	sum := sha256.Sum256(long[:progress.HeadSize])
	r := progress.Begin("flights", "flights-value", "", long)
	if want := "flights/" + hex.EncodeToString(sum[:]) + "/flights-value"; r.Key() != want || r.HeadLength != progress.HeadSize {
		t.Errorf("%s, want %s", r.Key(), want)
	}
	same := progress.Begin("flights", "flights-value", "", append(long, "more"...))
	if same.Key() != r.Key() {
		t.Error("the key depends on what is behind the head")
	}
	r = progress.Begin("flights", "", "nightly/a b", nil)
	if r.Key() != "flights/name:nightly%2Fa%20b/" {
		t.Errorf("key of a name is %s", r.Key())
	}
}

// TestKeysDiffer: what differs in topic, subject, name or content has another key.
func TestKeysDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[a-z/: %+]{0,3}`)
		draw := func() progress.Run {
			return progress.Begin(rapid.StringMatching(`[a-z]{1,2}`).Draw(t, "topic"), part.Draw(t, "subject"), part.Draw(t, "name"), []byte(part.Draw(t, "head")))
		}
		a, b := draw(), draw()
		if (a.Key() == b.Key()) != reflect.DeepEqual(a, b) {
			t.Fatalf("%+v and %+v: keys %s and %s", a, b, a.Key(), b.Key())
		}
	})
}

func TestBeganKnowsATextThatHasGrown(t *testing.T) {
	whole := bytes.Repeat([]byte("a,b\n1,2\n"), 2*progress.HeadSize/8)
	for _, c := range []struct {
		first, now int
		want       bool
	}{{8, 16, true}, {8, 8, false}, {8, 4, false}, {0, 16, false}, {8, progress.HeadSize, true}, {progress.HeadSize, len(whole), false}} {
		r := progress.Begin("t", "s", "", whole[:c.first])
		if got := r.Began(whole[:min(c.now, progress.HeadSize)]); got != c.want {
			t.Errorf("%d bytes, then %d: %v", c.first, c.now, got)
		}
	}
	r := progress.Begin("t", "s", "", []byte("a,b\n1,3\n"))
	if r.Began(whole[:16]) {
		t.Error("another text counts as grown")
	}
}

// TestCodec: what is written reads back, here and with a stranger's decoder.
func TestCodec(t *testing.T) {
	codec := progress.NewCodec(7)
	r := progress.Begin("flights", "flights-value", "", []byte("a,b\n"))
	r.File, r.State, r.Reason = "in/flights.csv", progress.Stopped, "too many rejects"
	r.Offset, r.Line, r.Row, r.Sum, r.Acked, r.Rejects, r.ExactlyOnce, r.Started, r.Time = 1<<40, 9, 8, 0xffffffff, 7, 1, true, 1700000000000, 1700000001000
	value, err := codec.Append(nil, &r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := codec.Decode(value)
	if err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("%+v %v, want %+v", back, err, r)
	}
	fields := map[string]any{}
	schema, err := hamba.Parse(progress.SchemaText())
	if err != nil {
		t.Fatal(err)
	}
	if err := hamba.Unmarshal(schema, value[5:], &fields); err != nil || fields["crc"] != int64(0xffffffff) || fields["state"] != "STOPPED" {
		t.Errorf("%v %v", fields, err)
	}
	for _, bad := range [][]byte{nil, value[:4], value[:9], append(bytes.Clone(value), 0), append([]byte{1}, value[1:]...), append([]byte{0, 0, 0, 0, 8}, value[5:]...)} {
		if _, err := codec.Decode(bad); err == nil {
			t.Errorf("%x is read", bad)
		} else if _, ok := schemas.AsReject(err); !ok {
			t.Errorf("%v is no reject", err)
		}
	}
}

// TestTransformCodec: what is written reads back, here and with a stranger's decoder, and its key is no run's.
func TestTransformCodec(t *testing.T) {
	codec := progress.NewTransformCodec(8)
	x := progress.Transform{Group: "g", From: "a", To: "b", Mapping: "map.yaml", FromSubject: "a-value", FromVersion: 1, ToSubject: "b-value", ToVersion: 2,
		Unfit: "field x", State: progress.Stopped, Reason: "interrupted", ExactlyOnce: true, Started: 1700000000000, Time: 1700000001000}
	value, err := codec.Append(nil, &x)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := codec.Decode(value); err != nil || back != x {
		t.Errorf("%+v %v, want %+v", back, err, x)
	}
	fields := map[string]any{}
	schema, err := hamba.Parse(progress.TransformText())
	if err == nil {
		err = hamba.Unmarshal(schema, value[5:], &fields)
	}
	if err != nil || fields["unfit"] != "field x" || fields["state"] != "STOPPED" || len(fields) != 14 {
		t.Errorf("%v %v", fields, err)
	}
	if _, err := progress.NewTransformCodec(9).Decode(value); err == nil {
		t.Error("a value of another schema was read")
	}
	run := progress.Begin("transform", "s", "g", nil)
	if !progress.OfTransform([]byte(x.Key())) || progress.OfTransform([]byte(run.Key())) {
		t.Errorf("%s and %s", x.Key(), run.Key())
	}
}
