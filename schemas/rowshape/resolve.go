package rowshape

import (
	"errors"
	"fmt"

	"github.com/twmb/avro"
)

// ErrIncompatible is returned by Resolve for a writer's schema whose records the reader's schema cannot read.
var ErrIncompatible = errors.New("records of the writer's schema cannot be read with the reader's")

// Resolve gives a function that turns records of the writer's schema into records of the reader's, as Avro's schema resolution has it. The
// function is safe for concurrent use; its error means that the record is malformed or has a value that the reader's type cannot hold.
func Resolve(writer, reader string) (func(payload []byte) ([]byte, error), error) {
	from, err := avro.Parse(writer)
	if err != nil {
		return nil, fmt.Errorf("parse writer's schema: %w", err)
	}
	to, err := avro.Parse(reader)
	if err != nil {
		return nil, fmt.Errorf("parse reader's schema: %w", err)
	}
	resolved, err := avro.Resolve(from, to)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIncompatible, err)
	}
	return func(payload []byte) ([]byte, error) {
		var v any
		rest, err := resolved.Decode(payload, &v, avro.TaggedUnions())
		if err != nil {
			return nil, fmt.Errorf("resolve record: %w", err)
		}
		if len(rest) > 0 {
			return nil, fmt.Errorf("resolve record: %w: %d bytes behind its last field", ErrMalformed, len(rest))
		}
		out, err := to.Encode(v)
		if err != nil {
			return nil, fmt.Errorf("resolve record: %w", err)
		}
		return out, nil
	}, nil
}
