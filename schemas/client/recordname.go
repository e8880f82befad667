package client

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"stripeline/schemas/registry/avrotext"
)

// ErrUnknownType says that a schema uses a type which neither it nor what it references defines.
var ErrUnknownType = avrotext.ErrUnknownType

// ErrNoRecord says that a schema is no record, so that it has no name that a subject could be named after.
var ErrNoRecord = errors.New("schema is no record")

// RecordName gives the full name of the record that an Avro text defines at its top: namespace, point, name. Types of schemas that the text references
// need not be known. It fails with ErrInvalid for a text that cannot be read, and with ErrNoRecord for one of another type.
func RecordName(text string) (string, error) {
	root, undefined, err := avrotext.Undefined(text, avrotext.Limits{})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch {
	case root.Type == "" && len(undefined) > 0:
		return "", fmt.Errorf("%w: %w %q", ErrInvalid, ErrUnknownType, undefined[0])
	case root.Type != "record":
		return "", fmt.Errorf("%w but %s", ErrNoRecord, root.Type)
	}
	return root.Name.Full(), nil
}

// Undefined gives the full names of the types that an Avro text uses and does not define, each once: it must reference the schemas that do. It fails
// with ErrInvalid.
func Undefined(text string) ([]string, error) {
	_, names, err := avrotext.Undefined(text, avrotext.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return names, nil
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
