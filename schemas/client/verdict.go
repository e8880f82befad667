package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"
)

// Verdict is a registry's opinion of a schema. Messages say what is incompatible with what; they are ours where the registry gives none.
type Verdict struct {
	Compatible bool
	Messages   []string
}

// Check asks whether a subject's rules would let a schema in, without writing anything. A subject without versions lets in any.
//
// Registries differ here, and what they lack is made up for:
//
//	of a subject without versions   some say that it is not found
//	of all that the rules look at   some have no such check, but one against the newest version
//	of references                   some take a schema that has any, or is to follow one that has, for an invalid one: see CheckVersion
func (c *Client) Check(ctx context.Context, subject string, s Schema) (Verdict, error) {
	verdict, err := c.check(ctx, Version{Subject: subject, Number: newest}, s, "/versions")
	if errors.Is(err, ErrNotFound) {
		verdict, err = c.CheckVersion(ctx, Version{Subject: subject, Number: newest}, s)
	}
	if errors.Is(err, ErrNotFound) {
		return Verdict{Compatible: true}, nil
	}
	return verdict, err
}

// CheckVersion asks whether a schema goes with one version; -1 is the newest. Where a registry cannot tell because of references, the verdict is ours,
// by Compare and the subject's level: whoever registers the schema then still learns what the registry thinks of it.
func (c *Client) CheckVersion(ctx context.Context, v Version, s Schema) (Verdict, error) {
	return c.check(ctx, v, s, "/versions/"+strconv.Itoa(v.Number))
}

func (c *Client) check(ctx context.Context, v Version, s Schema, tail string) (Verdict, error) {
	body, err := c.body(ctx, s)
	if err != nil {
		return Verdict{}, err
	}
	var got struct {
		Compatible bool     `json:"is_compatible"`
		Messages   []string `json:"messages"`
	}
	ctx = sr.WithParams(ctx, sr.Verbose)
	err = c.try(ctx, again, func(ctx context.Context, cl *sr.Client) error {
		return cl.Do(ctx, http.MethodPost, "/compatibility/subjects/"+url.PathEscape(v.Subject)+tail, body, &got)
	})
	unexplained := err == nil && !got.Compatible && len(got.Messages) == 0
	if !unexplained && !errors.Is(err, ErrInvalid) {
		return Verdict(got), err
	}
	ours, held := c.judge(ctx, v, s)
	switch {
	case held == nil:
	case unexplained:
		got.Messages = ours.Messages
	case len(s.References)+len(held.References) > 0:
		return ours, nil
	}
	return Verdict(got), err
}

// judge gives our own verdict of a schema and the version that it was compared with; nil where they cannot be compared.
func (c *Client) judge(ctx context.Context, v Version, s Schema) (verdict Verdict, held *Version) {
	before, err := c.Version(ctx, v.Subject, v.Number)
	if err != nil {
		return verdict, nil
	}
	old, err := c.ResolveText(ctx, before.Schema)
	if err != nil {
		return verdict, nil
	}
	next, err := c.ResolveText(ctx, s)
	if err != nil {
		return verdict, nil
	}
	level, err := c.Compatibility(ctx, v.Subject)
	if err != nil {
		return verdict, nil
	}
	changed, err := Compare(old, next)
	if err != nil {
		return verdict, nil
	}
	if why := changed.Satisfies(level); why != nil {
		return Verdict{Messages: []string{why.Error()}}, &before
	}
	return Verdict{Compatible: true}, &before
}
