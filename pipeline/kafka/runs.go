package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// OpenTransactor opens a transactional id as NewTransactor does, for a producer that writes as cfg says.
func (c *Cluster) OpenTransactor(ctx context.Context, id string, cfg ProducerConfig) (*Transactor, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.TransactionalID(id), kgo.TransactionTimeout(TransactionTimeout))
	client, err := c.open(cfg.Name, opts...)
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, wrap(err, "open transactional id %s", id)
	}
	return newTransactor(id, client), nil
}

// HighEnds gives the end of each partition's log, where records of unfinished transactions count. Who has just fenced a producer reads up to it, so as
// to see everything that the producer has committed: other producers may hold the stable end back.
func (c *Cluster) HighEnds(ctx context.Context, topic string) ([]int64, error) {
	listed, err := c.admin.ListEndOffsets(fresh(ctx), topic)
	return flatten(listed, topic, err)
}

// IsPassing says whether the brokers mean that the same request may succeed in a moment, as for a topic that was made just now.
func IsPassing(err error) bool { return kerr.IsRetriable(err) }
