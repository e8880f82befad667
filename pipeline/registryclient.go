package pipeline

import (
	"context"
	"errors"
	"fmt"

	"stripeline/schemas/client"
)

// RegistryClient is the registry as the journeys see it.
type RegistryClient struct{ *client.Client }

// Version implements Subjects.
func (r RegistryClient) Version(ctx context.Context, subject string, version int) (RowSchema, error) {
	var v client.Version
	var err error
	if version == Latest {
		v, err = r.Client.Latest(ctx, subject)
	} else {
		v, err = r.Client.Version(ctx, subject, version)
	}
	if err != nil {
		return RowSchema{}, unknownSchema(err)
	}
	text, err := r.ResolveText(ctx, v.Schema)
	return RowSchema{Subject: v.Subject, Version: v.Number, ID: v.ID, Text: text}, err
}

// ID implements Subjects.
func (r RegistryClient) ID(ctx context.Context, id int) (RowSchema, error) {
	text, err := r.Resolved(ctx, id)
	if err != nil {
		return RowSchema{}, unknownSchema(err)
	}
	return RowSchema{ID: id, Text: text}, nil
}

func unknownSchema(err error) error {
	if errors.Is(err, client.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrUnknownSchema, err)
	}
	return err
}
