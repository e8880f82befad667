package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/twmb/franz-go/pkg/sr"
)

// Register gives a schema a place in a subject, unless it has one there, and returns its id. It fails with ErrIncompatible
// or ErrInvalid where the registry does.
func (c *Client) Register(ctx context.Context, subject string, s Schema) (int, error) {
	body, err := c.body(ctx, s)
	if err != nil {
		return 0, err
	}
	var id int
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
		id, err = cl.RegisterSchema(ctx, subject, body, -1, -1)
		return err
	})
	if err == nil {
		c.latest.forget(subject)
	}
	return id, err
}

// Lookup returns the version of a subject that has a schema already, or ErrNotFound.
func (c *Client) Lookup(ctx context.Context, subject string, s Schema) (Version, error) {
	body, err := c.body(ctx, s)
	if err != nil {
		return Version{}, err
	}
	var got sr.SubjectSchema
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
		got, err = cl.LookupSchema(ctx, subject, body)
		return err
	})
	if err != nil {
		return Version{}, err
	}
	return c.learned(got), nil
}

// Subjects lists the subjects that have a live version.
func (c *Client) Subjects(ctx context.Context) (names []string, err error) {
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
		names, err = cl.Subjects(ctx)
		return err
	})
	return names, err
}

// Versions lists the live versions of a subject, in order.
func (c *Client) Versions(ctx context.Context, subject string) (numbers []int, err error) {
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
		numbers, err = cl.SubjectVersions(ctx, subject)
		return err
	})
	return numbers, err
}

// SubjectsOf lists the subjects that have the schema of an id as a live version.
func (c *Client) SubjectsOf(ctx context.Context, id int) (names []string, err error) {
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
		names, err = cl.SubjectsByID(ctx, id)
		return err
	})
	return names, err
}

// Permanence says what a delete leaves behind.
type Permanence bool

// A soft delete hides, and can be undone by registering again. A permanent one follows a soft one and forgets.
const (
	Soft      Permanence = false
	Permanent Permanence = true
)

// DeleteSubject deletes all versions of a subject and returns their numbers.
func (c *Client) DeleteSubject(ctx context.Context, subject string, how Permanence) (numbers []int, err error) {
	err = c.try(ctx, once, func(ctx context.Context, cl *sr.Client) (err error) {
		numbers, err = cl.DeleteSubject(ctx, subject, sr.DeleteHow(how))
		return err
	})
	c.latest.forget(subject)
	return numbers, err
}

// DeleteVersion deletes one version of a subject.
func (c *Client) DeleteVersion(ctx context.Context, v Version, how Permanence) error {
	err := c.try(ctx, once, func(ctx context.Context, cl *sr.Client) error {
		return cl.DeleteSchema(ctx, v.Subject, v.Number, sr.DeleteHow(how))
	})
	c.latest.forget(v.Subject)
	return err
}

// Compatibility returns the level that holds for a subject; "" asks for the global one.
func (c *Client) Compatibility(ctx context.Context, subject string) (string, error) {
	var got struct {
		Level string `json:"compatibilityLevel"`
	}
	ctx = sr.WithParams(ctx, sr.DefaultToGlobal)
	err := c.send(ctx, http.MethodGet, scoped("/config", subject), nil, &got)
	return got.Level, err
}

// SetCompatibility sets a subject's own level, or the global one for "". The level "" removes it.
func (c *Client) SetCompatibility(ctx context.Context, subject, level string) error {
	if level == "" {
		return c.send(ctx, http.MethodDelete, scoped("/config", subject), nil, nil)
	}
	return c.send(ctx, http.MethodPut, scoped("/config", subject), map[string]string{"compatibility": level}, nil)
}

// Mode returns the mode that holds for a subject; "" asks for the global one.
func (c *Client) Mode(ctx context.Context, subject string) (string, error) {
	var got struct {
		Mode string `json:"mode"`
	}
	ctx = sr.WithParams(ctx, sr.DefaultToGlobal)
	err := c.send(ctx, http.MethodGet, scoped("/mode", subject), nil, &got)
	return got.Mode, err
}

// SetMode sets a subject's own mode, or the global one for "". IMPORT is set even where there are schemas already when
// force is Forced.
func (c *Client) SetMode(ctx context.Context, subject, mode string, force Force) error {
	if force == Forced {
		ctx = sr.WithParams(ctx, sr.Force)
	}
	return c.send(ctx, http.MethodPut, scoped("/mode", subject), map[string]string{"mode": mode}, nil)
}

// Force says whether a registry's own caution is to be overruled.
type Force bool

// Unforced is the ordinary case.
const (
	Unforced Force = false
	Forced   Force = true
)

func scoped(path, subject string) string {
	if subject == "" {
		return path
	}
	return path + "/" + url.PathEscape(subject)
}

// send is for requests that pkg/sr has no fitting call for. All but DELETE may be repeated.
func (c *Client) send(ctx context.Context, method, path string, body, into any) error {
	var raw json.RawMessage
	err := c.try(ctx, repeatable(method != http.MethodDelete), func(ctx context.Context, cl *sr.Client) error {
		return cl.Do(ctx, method, path, body, &raw)
	})
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
