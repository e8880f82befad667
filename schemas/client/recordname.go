package client

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrNoRecord says that a schema is no record, so that it has no name that a subject could be named after.
var ErrNoRecord = errors.New("schema is no record")

// RecordName gives the full name of the record that an Avro text defines at its top: namespace, point, name. It fails with ErrInvalid for a text that
// cannot be read or needs references, and with ErrNoRecord for one of another type.
func RecordName(text string) (string, error) {
	doc, _, err := read(text)
	if err != nil {
		return "", err
	}
	if doc.Root.Type != "record" {
		return "", fmt.Errorf("%w but %s", ErrNoRecord, doc.Root.Type)
	}
	return doc.Root.Name.Full(), nil
}

var namePart = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// IsFullName says whether a text can be the full name of an Avro record.
func IsFullName(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !namePart.MatchString(part) {
			return false
		}
	}
	return true
}
