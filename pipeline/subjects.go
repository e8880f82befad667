package pipeline

import (
	"context"
	"errors"
	"fmt"
)

// RowSchema is a schema as the registry has it. Text stands alone: the types that it refers to are written out in it.
type RowSchema struct {
	Subject string
	Version int // 0 when it was found by its id
	ID      int
	Text    string
}

// Subjects is what the row journeys ask of a schema registry. A subject, version or id that is not there is ErrUnknownSchema.
type Subjects interface {
	// Version gives a version of a subject, the latest for -1.
	Version(ctx context.Context, subject string, version int) (RowSchema, error)
	// ID gives the schema that the registry knows under an id.
	ID(ctx context.Context, id int) (RowSchema, error)
}

// ErrUnknownSchema says that the registry has no such subject, version or id.
var ErrUnknownSchema = errors.New("schema is not in the registry")

// Latest as a version is the newest one.
const Latest = -1

// Place says in a message which schema this is.
func (s RowSchema) Place() string {
	switch {
	case s.Version != 0:
		return fmt.Sprintf("subject %s version %d", s.Subject, s.Version)
	case s.ID != 0:
		return fmt.Sprintf("schema id %d", s.ID)
	}
	return fmt.Sprintf("the schema for subject %s", s.Subject)
}

// Pin says which schema a journey uses: that of an id, or a version of a subject. The zero Pin of a subject is its latest version.
type Pin struct {
	Subject string // with ID: what it is called in rejects and records of runs
	Version int    // 0 or Latest: the newest
	ID      int    // 0: none
}

// find looks the pinned schema up.
func (p Pin) find(ctx context.Context, registry Subjects) (RowSchema, error) {
	if p.ID != 0 {
		s, err := registry.ID(ctx, p.ID)
		if errors.Is(err, ErrUnknownSchema) {
			return s, fmt.Errorf("look up schema id %d: %w", p.ID, err)
		}
		s.Subject = p.Subject
		return s, err
	}
	version := p.Version
	if version == 0 {
		version = Latest
	}
	s, err := registry.Version(ctx, p.Subject, version)
	if errors.Is(err, ErrUnknownSchema) {
		return s, fmt.Errorf("subject %s: %w: register it with 'stripeline schema register %s FILE'", p.Subject, err, p.Subject)
	}
	return s, err
}
