package client

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/sr"
)

// Client talks to one registry, which may have several URLs. It is safe for concurrent use.
type Client struct {
	config    Config
	endpoints []*sr.Client
	preferred atomic.Uint64 // the URL that answered last

	byID     *cache[Schema]
	latest   *cache[Version]
	resolved *cache[string]
}

// Schema is a schema as the registry keeps it.
type Schema struct {
	ID         int    // 0 where it is not known
	Type       string // AVRO, JSON or PROTOBUF
	Text       string
	References []Reference
}

// Reference names a version of another subject whose types a schema uses.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Version is a schema in its place in a subject.
type Version struct {
	Subject string
	Number  int
	Schema
}

// Open makes a client. Nothing is sent. Errors wrap ErrConfig.
func Open(config Config) (*Client, error) {
	config = config.orDefault()
	if err := config.validate(); err != nil {
		return nil, err
	}
	endpoints, err := config.endpoints()
	if err != nil {
		return nil, err
	}
	return &Client{
		config: config, endpoints: endpoints,
		byID:     newCache[Schema](forever, config.NegativeTTL),
		latest:   newCache[Version](config.LatestTTL, config.NegativeTTL),
		resolved: newCache[string](forever, config.NegativeTTL),
	}, nil
}

// ByID returns the schema of an id, from the cache if it was ever seen. It fails with ErrNotFound for an unknown id.
func (c *Client) ByID(ctx context.Context, id int) (Schema, error) {
	return c.byID.get(ctx, strconv.Itoa(id), func(ctx context.Context) (Schema, error) {
		var got sr.Schema
		err := c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
			got, err = cl.SchemaByID(ctx, id)
			return err
		})
		return schemaOf(id, got), err
	})
}

// Latest returns the newest version of a subject as it was at most Config.LatestTTL ago.
func (c *Client) Latest(ctx context.Context, subject string) (Version, error) {
	return c.latest.get(ctx, subject, func(ctx context.Context) (Version, error) {
		return c.Version(ctx, subject, newest)
	})
}

// Refresh returns the newest version of a subject as it is now.
func (c *Client) Refresh(ctx context.Context, subject string) (Version, error) {
	c.latest.forget(subject)
	return c.Latest(ctx, subject)
}

// newest is what the registry takes for "latest".
const newest = -1

// Version returns one version of a subject; -1 is the newest.
func (c *Client) Version(ctx context.Context, subject string, number int) (Version, error) {
	var got sr.SubjectSchema
	err := c.try(ctx, again, func(ctx context.Context, cl *sr.Client) (err error) {
		got, err = cl.SchemaByVersion(ctx, subject, number)
		return err
	})
	if err != nil {
		return Version{}, err
	}
	return c.learned(got), nil
}

// learned notes a version's schema under its id. Ids of other contexts than the default one are not its ids.
func (c *Client) learned(got sr.SubjectSchema) Version {
	v := Version{Subject: got.Subject, Number: got.Version, Schema: schemaOf(got.ID, got.Schema)}
	if !inContext(got.Subject) {
		c.byID.put(strconv.Itoa(got.ID), v.Schema)
	}
	return v
}

func inContext(subject string) bool { return len(subject) > 1 && subject[:2] == ":." }

func schemaOf(id int, s sr.Schema) Schema {
	out := Schema{ID: id, Type: s.Type.String(), Text: s.Schema}
	for _, r := range s.References {
		out.References = append(out.References, Reference{r.Name, r.Subject, r.Version})
	}
	return out
}

func (s Schema) wire() (sr.Schema, error) {
	out := sr.Schema{Schema: s.Text}
	if s.Type != "" {
		if err := out.Type.UnmarshalText([]byte(s.Type)); err != nil {
			return out, &Error{Code: 42201, Message: "Invalid schema type " + s.Type}
		}
	}
	for _, r := range s.References {
		out.References = append(out.References, sr.SchemaReference{Name: r.Name, Subject: r.Subject, Version: r.Version})
	}
	return out, nil
}
