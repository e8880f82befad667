package rowplan

import (
	"bytes"
	"encoding/json"
	"io"
)

// maxDepth bounds nesting: of JSON cells, of dotted records, and of values that a walker descends into.
const maxDepth = 100

// jsonValue is a parsed JSON cell that keeps the order of members and the text of numbers.
type jsonValue struct {
	delim json.Delim // '{' or '[' for a container, else 0
	text  string     // of a string, number or boolean
	null  bool
	quote bool // text was a string
	keys  []string
	items []jsonValue
}

// parseJSONCell reads text as one JSON value.
func parseJSONCell(text []byte) (jsonValue, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	token, err := decoder.Token()
	if err != nil {
		return jsonValue{}, false
	}
	v, ok := readJSON(decoder, token, 0)
	if !ok {
		return v, false
	}
	_, err = decoder.Token()
	return v, err == io.EOF
}

// readJSON reads the value that begins with token.
func readJSON(decoder *json.Decoder, token json.Token, depth int) (jsonValue, bool) {
	switch t := token.(type) {
	case nil:
		return jsonValue{null: true}, true
	case string:
		return jsonValue{text: t, quote: true}, true
	case json.Number:
		return jsonValue{text: t.String()}, true
	case bool:
		if t {
			return jsonValue{text: "true"}, true
		}
		return jsonValue{text: "false"}, true
	case json.Delim:
		if depth < maxDepth && (t == '{' || t == '[') {
			return readJSONContainer(decoder, t, depth+1)
		}
	}
	return jsonValue{}, false
}

func readJSONContainer(decoder *json.Decoder, open json.Delim, depth int) (jsonValue, bool) {
	v := jsonValue{delim: open}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return v, false
		}
		if open == '{' {
			key, ok := token.(string)
			if !ok {
				return v, false
			}
			v.keys = append(v.keys, key)
			if token, err = decoder.Token(); err != nil {
				return v, false
			}
		}
		item, ok := readJSON(decoder, token, depth)
		if !ok {
			return v, false
		}
		v.items = append(v.items, item)
	}
	_, err := decoder.Token()
	return v, err == nil
}
