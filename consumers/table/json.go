package table

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonLines is the json format.
type jsonLines struct{ meta bool }

func (j jsonLines) append(dst []byte, r *Record) (_ []byte, err error) {
	if !j.meta {
		dst, err = appendValue(dst, r)
		return append(dst, '\n'), err
	}
	dst = strconv.AppendInt(append(dst, `{"partition":`...), int64(r.Partition), 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), r.Offset, 10)
	dst = r.Time.UTC().AppendFormat(append(dst, `,"timestamp":"`...), time.RFC3339Nano)
	dst = append(dst, `","key":`...)
	if r.KeyWalker == nil {
		dst = appendText(dst, r.Key)
	} else if dst, err = r.KeyWalker.AppendJSON(dst, r.KeyPayload); err != nil {
		return dst, err
	}
	dst = append(dst, `,"value":`...)
	if dst, err = appendValue(dst, r); err != nil {
		return dst, err
	}
	return append(dst, '}', '\n'), nil
}

func (jsonLines) pending(dst []byte) []byte { return dst }

func appendValue(dst []byte, r *Record) ([]byte, error) {
	if r.Walker != nil {
		return r.Walker.AppendJSON(dst, r.Payload)
	}
	return appendText(dst, r.Value), nil
}

// appendText writes bytes as a JSON string: as text when they are UTF-8, else with one code point for each byte, as Avro's JSON has it.
func appendText(dst, text []byte) []byte {
	if text == nil {
		return append(dst, "null"...)
	}
	s := string(text)
	if !utf8.Valid(text) {
		points := make([]rune, len(text))
		for i, b := range text {
			points[i] = rune(b)
		}
		s = string(points)
	}
	quoted, _ := json.Marshal(s)
	return append(dst, quoted...)
}
