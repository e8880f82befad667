package registry

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// contentTypes are those of answers and bodies, the most wanted first.
var contentTypes = []string{
	"application/vnd.schemaregistry.v1+json",
	"application/vnd.schemaregistry+json",
	"application/json",
}

// negotiate chooses the answer's content type by the Accept headers: the client's weight first, our order second. It
// returns "" if nothing is acceptable.
func negotiate(accept []string) string {
	if len(accept) == 0 {
		return contentTypes[0]
	}
	all := strings.Join(accept, ",")
	if all == "*/*" || all == "" || all == contentTypes[0] {
		return contentTypes[0]
	}
	best, most := "", 0.0
	for _, ours := range contentTypes {
		if q := weight(all, ours); q > most {
			best, most = ours, q
		}
	}
	return best
}

// weight is the quality that an Accept header gives to a type, by its most exact range.
func weight(accept, ours string) float64 {
	weights := map[string]float64{}
	for _, part := range strings.Split(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if given, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(given, 64); err != nil {
				continue
			}
		}
		weights[kind] = q
	}
	for _, kind := range []string{ours, "application/*", "*/*"} {
		if q, ok := weights[kind]; ok {
			return q
		}
	}
	return 0
}

// acceptedBody refuses bodies of other content types and of character sets that are not read here.
func acceptedBody(header string) error {
	if header == "" {
		return nil
	}
	unsupported := httpFault(http.StatusUnsupportedMediaType, "Unsupported Media Type")
	kind, params, err := mime.ParseMediaType(header)
	if err != nil || !(slices.Contains(contentTypes, kind) || kind == "application/octet-stream") {
		return unsupported
	}
	if charset := strings.ToLower(params["charset"]); !slices.Contains([]string{"", "utf-8", "us-ascii", latin1}, charset) {
		return unsupported
	}
	return nil
}

const latin1 = "iso-8859-1"

// decoded is a body in UTF-8.
func decoded(header string, body []byte) []byte {
	_, params, err := mime.ParseMediaType(header)
	if err != nil || strings.ToLower(params["charset"]) != latin1 {
		return body
	}
	runes := make([]rune, len(body))
	for i, b := range body {
		runes[i] = rune(b)
	}
	return []byte(string(runes))
}
