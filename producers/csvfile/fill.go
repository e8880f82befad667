package csvfile

import (
	"context"
	"errors"

	"stripeline/schemas/rowplan"
)

// errLater says that a row is not at hand yet; nothing of it is consumed.
var errLater = errors.New("internal error: a row that may be waited for is told of")

// Fill gives the next rows as Next does, all that are at hand and that a batch holds; it waits for the first alone. An error, io.EOF behind the last
// row, may come with rows before it. The rows' slices are valid until b is filled again, whatever is asked of the source meanwhile.
func (s *Source) Fill(ctx context.Context, b *rowplan.Batch) error {
	s.stream.Keep()
	defer func() { s.hasty, s.splitter.scratch = false, nil }()
	b.Rows, s.hasty = b.Rows[:0], false
	for began := s.stream.Offset(); b.Takes(s.stream.Offset() - began); s.hasty = true {
		row := b.Next()
		spare := &b.Spare[len(b.Rows)-1]
		s.splitter.scratch = *spare
		err := s.next(ctx, row)
		*spare = s.splitter.scratch
		if err != nil {
			b.Rows = b.Rows[:len(b.Rows)-1]
			if err == errLater {
				return nil
			}
			return err
		}
	}
	return nil
}

// more reads further text, unless that cannot be waited for.
func (s *Source) more(ctx context.Context) error {
	if s.hasty && !s.stream.Ready() {
		return errLater
	}
	return s.stream.More(ctx)
}
