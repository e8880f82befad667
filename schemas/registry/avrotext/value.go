package avrotext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Value is one JSON value with the order of its members and the spelling of its numbers kept.
type Value struct {
	Kind    Kind
	Text    string   // the content of a string, the literal of a number
	Members []Member // of an object; a repeated key keeps its first place and its last value, as in Jackson
	Items   []Value  // of an array
}

// Member is one name and value of an object.
type Member struct {
	Key   string
	Value Value
}

// Kind is the JSON type of a Value.
type Kind byte

// The seven kinds of JSON value.
const (
	Null Kind = iota
	True
	False
	Number
	String
	Array
	Object
)

// ErrDepth says that JSON is nested deeper than allowed.
var ErrDepth = errors.New("nested too deeply")

// ParseValue reads exactly one JSON value nested at most depth levels deep.
func ParseValue(text string, depth int) (Value, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	v, err := readValue(dec, depth)
	if err != nil {
		return Value{}, fmt.Errorf("read schema JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Value{}, fmt.Errorf("read schema JSON: something follows the value at byte %d", dec.InputOffset())
	}
	return v, nil
}

func readValue(dec *json.Decoder, depth int) (Value, error) {
	tok, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return Value{}, io.ErrUnexpectedEOF
	}
	if err != nil {
		return Value{}, err
	}
	if depth <= 0 {
		return Value{}, ErrDepth
	}
	switch t := tok.(type) {
	case nil:
		return Value{Kind: Null}, nil
	case bool:
		if t {
			return Value{Kind: True}, nil
		}
		return Value{Kind: False}, nil
	case json.Number:
		return Value{Kind: Number, Text: t.String()}, nil
	case string:
		return Value{Kind: String, Text: t}, nil
	case json.Delim:
		if t == '[' {
			return readArray(dec, depth-1)
		}
		return readObject(dec, depth-1)
	}
	return Value{}, fmt.Errorf("unexpected token %v", tok)
}

func readArray(dec *json.Decoder, depth int) (Value, error) {
	v := Value{Kind: Array}
	for dec.More() {
		item, err := readValue(dec, depth)
		if err != nil {
			return Value{}, err
		}
		v.Items = append(v.Items, item)
	}
	_, err := dec.Token()
	return v, unexpected(err)
}

func readObject(dec *json.Decoder, depth int) (Value, error) {
	v := Value{Kind: Object}
	place := map[string]int{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return Value{}, unexpected(err)
		}
		key := tok.(string)
		member, err := readValue(dec, depth)
		if err != nil {
			return Value{}, err
		}
		if at, seen := place[key]; seen {
			v.Members[at].Value = member
			continue
		}
		place[key] = len(v.Members)
		v.Members = append(v.Members, Member{Key: key, Value: member})
	}
	_, err := dec.Token()
	return v, unexpected(err)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Get returns the member called key, and whether there is one.
func (v Value) Get(key string) (Value, bool) {
	for _, m := range v.Members {
		if m.Key == key {
			return m.Value, true
		}
	}
	return Value{}, false
}

// text returns the content of the string member called key; a member of another kind counts as absent, as in Avro Java.
func (v Value) text(key string) (string, bool) {
	m, ok := v.Get(key)
	if !ok || m.Kind != String {
		return "", false
	}
	return m.Text, true
}
