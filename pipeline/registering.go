package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/schemas/client"
)

// SchemaFile is an Avro schema out of a file.
type SchemaFile struct {
	Name       string // of the file, for messages
	Text       string
	References []client.Reference // of the types that Text uses and does not define
}

// schema is what the registry is asked about, and told.
func (f SchemaFile) schema() client.Schema {
	return client.Schema{Type: "AVRO", Text: f.Text, References: f.References}
}

// SubjectWriter is what a production asks of a registry besides looking schemas up.
type SubjectWriter interface {
	// SubjectsOf names the subjects that have the schema of an id.
	SubjectsOf(ctx context.Context, id int) ([]string, error)
	// Admit gives the version of a subject that has the schema; with ID 0 one that may be registered there, and is not. Nothing is written. A schema
	// that the subject's rules do not let in is *Incompatible.
	Admit(ctx context.Context, subject string, file SchemaFile) (RowSchema, error)
	// Add registers a schema and gives its version.
	Add(ctx context.Context, subject string, file SchemaFile) (RowSchema, error)
}

// Incompatible says that the registry would not let a schema into a subject.
type Incompatible struct {
	Subject, File string
	Messages      []string // why, as client.Verdict has them
}

// Error says what was refused; why is in Messages.
func (e *Incompatible) Error() string {
	return fmt.Sprintf("%s may not become a version of subject %s, and nothing was registered or sent: mend it, or change the level with 'stripeline schema config %s LEVEL'",
		e.File, e.Subject, e.Subject)
}

// Is makes every Incompatible a client.ErrIncompatible.
func (e *Incompatible) Is(kind error) bool { return kind == client.ErrIncompatible }

// Admit implements SubjectWriter.
func (r RegistryClient) Admit(ctx context.Context, subject string, file SchemaFile) (RowSchema, error) {
	alone, err := r.alone(ctx, file)
	if err != nil {
		return RowSchema{}, err
	}
	held, err := r.Lookup(ctx, subject, file.schema())
	if err == nil {
		return RowSchema{Subject: subject, Version: held.Number, ID: held.ID, Text: alone}, nil
	}
	if !errors.Is(err, client.ErrNotFound) {
		return RowSchema{}, fmt.Errorf("look up %s in subject %s: %w", file.Name, subject, err)
	}
	verdict, err := r.Check(ctx, subject, file.schema())
	switch {
	case err != nil:
		return RowSchema{}, fmt.Errorf("check %s against subject %s: %w", file.Name, subject, err)
	case !verdict.Compatible:
		return RowSchema{}, &Incompatible{Subject: subject, File: file.Name, Messages: verdict.Messages}
	}
	return RowSchema{Subject: subject, Text: alone}, nil
}

// alone gives the text of a file with the types of its references written out.
func (r RegistryClient) alone(ctx context.Context, file SchemaFile) (string, error) {
	text, err := r.ResolveText(ctx, file.schema())
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, client.ErrUnknownType):
		return "", fmt.Errorf("%s with its references: %w: reference the subject that defines it, too", file.Name, err)
	case errors.Is(err, client.ErrNotFound):
		return "", fmt.Errorf("%s with its references: %w: see 'stripeline schema versions SUBJECT'", file.Name, unknownSchema(err))
	}
	return "", fmt.Errorf("%s with its references: %w", file.Name, err)
}

// Add implements SubjectWriter.
func (r RegistryClient) Add(ctx context.Context, subject string, file SchemaFile) (RowSchema, error) {
	alone, err := r.alone(ctx, file)
	if err != nil {
		return RowSchema{}, err
	}
	if _, err = r.Register(ctx, subject, file.schema()); err != nil {
		return RowSchema{}, fmt.Errorf("register %s under subject %s: %w", file.Name, subject, err)
	}
	added, err := r.Lookup(ctx, subject, file.schema())
	if err != nil {
		return RowSchema{}, fmt.Errorf("look up %s in subject %s: %w", file.Name, subject, err)
	}
	return RowSchema{Subject: subject, Version: added.Number, ID: added.ID, Text: alone}, nil
}
