package client

import (
	"fmt"

	"github.com/twmb/avro"

	"stripeline/schemas/registry/avrotext"
)

// Comparison says what changed between two schemas and for whom it breaks.
type Comparison struct {
	Changes []Change

	// NewReadsOld is nil if consumers with the new schema can read records written with the old one (what BACKWARD asks),
	// else the first reason why not.
	NewReadsOld error
	// OldReadsNew is nil if consumers with the old schema can read records written with the new one (what FORWARD asks).
	OldReadsNew error
}

// Change is one difference. Warning says what a registry lets pass but a person should know.
type Change struct {
	Path    string // of fields, dotted; "" is the top
	What    string
	Warning string
}

// Compare tells two Avro schemas apart, given as texts that stand alone (Client.Resolved). It fails with ErrInvalid if one
// cannot be read. Logical types do not count for reading, as in Avro Java; a change that gives old values another meaning
// is a warning.
func Compare(old, new string) (Comparison, error) {
	before, oldSchema, err := read(old)
	if err != nil {
		return Comparison{}, fmt.Errorf("old schema: %w", err)
	}
	after, newSchema, err := read(new)
	if err != nil {
		return Comparison{}, fmt.Errorf("new schema: %w", err)
	}
	d := differ{seen: map[[2]*avrotext.Schema]bool{}}
	d.compare("", before.Root, after.Root)
	return Comparison{
		Changes:     d.changes,
		NewReadsOld: avro.CheckCompatibility(oldSchema, newSchema),
		OldReadsNew: avro.CheckCompatibility(newSchema, oldSchema),
	}, nil
}

// Satisfies returns why a change is not allowed under a compatibility level, or nil.
func (c Comparison) Satisfies(level string) error {
	backward, forward := sides(level)
	if backward && c.NewReadsOld != nil {
		return fmt.Errorf("%w: consumers with the new schema cannot read what is there already: %w", ErrIncompatible, c.NewReadsOld)
	}
	if forward && c.OldReadsNew != nil {
		return fmt.Errorf("%w: consumers that still have the old schema cannot read what is written anew: %w", ErrIncompatible, c.OldReadsNew)
	}
	return nil
}

func sides(level string) (backward, forward bool) {
	switch level {
	case "BACKWARD", "BACKWARD_TRANSITIVE":
		return true, false
	case "FORWARD", "FORWARD_TRANSITIVE":
		return false, true
	case "FULL", "FULL_TRANSITIVE":
		return true, true
	}
	return false, false
}

// Canonical returns the text that a registry keeps for a schema that stands alone. It fails with ErrInvalid.
func Canonical(text string) (string, error) {
	doc, _, err := read(text)
	if err != nil {
		return "", err
	}
	return doc.Text(), nil
}

func read(text string) (*avrotext.Document, *avro.Schema, error) {
	doc, err := avrotext.Parse(text, nil, avrotext.Limits{})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	schema, err := avro.Parse(doc.Plain())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return doc, schema, nil
}
