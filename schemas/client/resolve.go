package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"stripeline/schemas/registry/avrotext"
)

// mostReferences bounds how deep references are followed.
const mostReferences = 32

// Resolved returns the Avro text of an id with the types of all its references written out, so that it stands alone. It is
// kept for ever, like the id.
func (c *Client) Resolved(ctx context.Context, id int) (string, error) {
	return c.resolved.get(ctx, strconv.Itoa(id), func(ctx context.Context) (string, error) {
		s, err := c.ByID(ctx, id)
		if err != nil {
			return "", err
		}
		return c.ResolveText(ctx, s)
	})
}

// ResolveText is Resolved for a schema that need not have an id.
func (c *Client) ResolveText(ctx context.Context, s Schema) (string, error) {
	if s.Type != "" && s.Type != "AVRO" {
		return "", fmt.Errorf("resolve %s: it is of type %s, and only Avro can be read", s.name(), s.Type)
	}
	if len(s.References) == 0 {
		return s.Text, nil
	}
	r := resolution{client: c, done: map[Reference]avrotext.Names{}}
	doc, err := r.parse(ctx, s, mostReferences)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", s.name(), err)
	}
	return doc.Resolved(), nil
}

// body is a schema as it is sent, with references to numbered versions: not every registry takes -1 for the newest in them. One whose subject is not
// there stays as it is, for the registry to say so.
func (c *Client) body(ctx context.Context, s Schema) (sr.Schema, error) {
	s.References = slices.Clone(s.References)
	for i, ref := range s.References {
		if ref.Version != newest {
			continue
		}
		v, err := c.Version(ctx, ref.Subject, newest)
		switch {
		case err == nil:
			s.References[i].Version = v.Number
		case !errors.Is(err, ErrNotFound):
			return sr.Schema{}, fmt.Errorf("newest version of %s for reference %q: %w", ref.Subject, ref.Name, err)
		}
	}
	return s.wire()
}

// name is what messages call a schema.
func (s Schema) name() string {
	if s.ID == 0 {
		return "schema"
	}
	return fmt.Sprintf("schema %d", s.ID)
}

// resolution collects the types of referenced schemas.
type resolution struct {
	client *Client
	done   map[Reference]avrotext.Names
}

func (r *resolution) parse(ctx context.Context, s Schema, left int) (*avrotext.Document, error) {
	if left == 0 {
		return nil, fmt.Errorf("references are nested deeper than %d, or in a circle", mostReferences)
	}
	outer := avrotext.Names{}
	for _, ref := range s.References {
		names, err := r.names(ctx, ref, left)
		if err != nil {
			return nil, err
		}
		for name, t := range names {
			outer[name] = t
		}
	}
	return avrotext.Parse(s.Text, outer, avrotext.Limits{})
}

func (r *resolution) names(ctx context.Context, ref Reference, left int) (avrotext.Names, error) {
	at := Reference{Subject: ref.Subject, Version: ref.Version}
	if names, ok := r.done[at]; ok {
		return names, nil
	}
	v, err := r.client.Version(ctx, ref.Subject, ref.Version)
	if err != nil {
		return nil, fmt.Errorf("reference %q to version %d of %s: %w", ref.Name, ref.Version, ref.Subject, err)
	}
	doc, err := r.parse(ctx, v.Schema, left-1)
	if err != nil {
		return nil, err
	}
	r.done[at] = doc.Visible()
	return r.done[at], nil
}
