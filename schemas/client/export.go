package client

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/twmb/franz-go/pkg/sr"
)

// Exported is one version as it leaves one registry for another, ids and all. As JSON it is one line of an export.
type Exported struct {
	Subject    string      `json:"subject"`
	Version    int         `json:"version"`
	ID         int         `json:"id"`
	Type       string      `json:"schemaType,omitempty"`
	References []Reference `json:"references,omitempty"`
	Text       string      `json:"schema"`
}

// Export gives every live version of every subject, by id, so that what is referenced comes before what references it.
func (c *Client) Export(ctx context.Context, give func(Exported) error) error {
	subjects, err := c.Subjects(ctx)
	if err != nil {
		return fmt.Errorf("export subjects: %w", err)
	}
	var all []Exported
	for _, subject := range subjects {
		list, err := c.exportSubject(ctx, subject)
		if err != nil && !errors.Is(err, ErrNotFound) { // deleted meanwhile
			return fmt.Errorf("export subject %s: %w", subject, err)
		}
		all = append(all, list...)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	for _, e := range all {
		if err := give(e); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) exportSubject(ctx context.Context, subject string) ([]Exported, error) {
	numbers, err := c.Versions(ctx, subject)
	if err != nil {
		return nil, err
	}
	var out []Exported
	for _, n := range numbers {
		v, err := c.Version(ctx, subject, n)
		if err != nil {
			return out, err
		}
		out = append(out, Exported{v.Subject, v.Number, v.ID, v.Type, v.References, v.Text})
	}
	return out, nil
}

// Import puts one version where it was, with its id. The registry must be in mode IMPORT (SetMode).
func (c *Client) Import(ctx context.Context, e Exported) error {
	body, err := Schema{Type: e.Type, Text: e.Text, References: e.References}.wire()
	if err != nil {
		return err
	}
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) error {
		_, err := cl.RegisterSchema(ctx, e.Subject, body, e.ID, e.Version)
		return err
	})
	c.latest.forget(e.Subject)
	if err != nil {
		return fmt.Errorf("import version %d of %s: %w", e.Version, e.Subject, err)
	}
	return nil
}
