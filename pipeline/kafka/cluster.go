package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is a Kafka record, with the client's fields.
type Record = kgo.Record

// Header is one header of a Record.
type Header = kgo.RecordHeader

// Cluster is a connection to brokers: administration, and the place where producers, readers and groups come from.
// It is safe for concurrent use.
type Cluster struct {
	cfg    Config
	client *kgo.Client
	admin  *kadm.Client
	made   atomic.Int64 // clients made, to tell them apart in metrics
}

// Connect reaches a broker, or says in one line why not, within Config.ConnectTimeout: ErrUnreachable when there is none,
// ErrAuth when it does not want us, ErrConfig when the settings can never work.
func Connect(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg = cfg.withDefaults()
	opts, err := cfg.options("admin")
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	if err := ping(ctx, client); err != nil {
		go client.Close() // which waits for a broker that never answers
		return nil, cfg.connectError(err)
	}
	return &Cluster{cfg: cfg, client: client, admin: kadm.NewClient(client)}, nil
}

// Close ends the connection. Producers, readers and groups have connections of their own and are closed by their owners.
func (c *Cluster) Close() { c.client.Close() }

// Ping asks a broker for a sign of life.
func (c *Cluster) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.ConnectTimeout)
	defer cancel()
	if err := ping(ctx, c.client); err != nil {
		return c.cfg.connectError(err)
	}
	return nil
}

// ping ends with ctx also where a broker accepts the connection and then says nothing, which the client sits out.
func ping(ctx context.Context, client *kgo.Client) error {
	answer := make(chan error, 1)
	go func() { answer <- client.Ping(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Namespace gives the prefix of internal names.
func (c *Cluster) Namespace() string { return c.cfg.Namespace }

// Name gives the internal name that is called name here: "stripeline.packets" for "packets".
func (c *Cluster) Name(name string) string { return c.cfg.Namespace + "." + name }

// Logger gives the logger of the configuration, never nil.
func (c *Cluster) Logger() *slog.Logger { return c.cfg.Logger }

// Brokers gives the number of live brokers.
func (c *Cluster) Brokers(ctx context.Context) (int, error) {
	meta, err := c.admin.BrokerMetadata(ctx)
	if err != nil {
		return 0, wrap(err, "list brokers")
	}
	return max(1, len(meta.Brokers)), nil
}

// open makes a further client; role names it in metrics.
func (c *Cluster) open(role string, more ...kgo.Opt) (*kgo.Client, error) {
	if role != "" {
		role = fmt.Sprintf("%s-%d", role, c.made.Add(1))
	}
	opts, err := c.cfg.options(role)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return client, nil
}
