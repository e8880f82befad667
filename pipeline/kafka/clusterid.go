package kafka

import "context"

// ID gives the cluster id that the brokers agreed on when they were made; "" when they tell none.
func (c *Cluster) ID(ctx context.Context) (string, error) {
	meta, err := c.admin.BrokerMetadata(ctx)
	return meta.Cluster, wrap(err, "ask for the cluster id")
}
