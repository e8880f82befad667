package pipeline

import (
	"context"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// fileRejects files records that no file can hold.
type fileRejects struct {
	cluster  *kafka.Cluster
	topic    string
	group    string
	producer *kafka.Producer // nil before the first reject
}

// file waits until the brokers have the reject.
func (r *fileRejects) file(ctx context.Context, record *kafka.Record, why *schemas.Rejection) error {
	if r.producer == nil {
		if err := r.open(ctx); err != nil {
			return err
		}
	}
	return r.producer.ProduceSync(ctx, flow.RejectRecord(r.group, record, why))
}

func (r *fileRejects) open(ctx context.Context) error {
	info, err := flow.EnsureRejects(ctx, r.cluster, r.topic)
	if err != nil {
		return err
	}
	r.producer, err = r.cluster.NewProducer(kafka.ProducerConfig{
		Name: "rejects", Manual: []string{flow.RejectsTopic(r.topic)}, MaxBatch: int32(min(info.MaxMessageBytes, largestBatch)),
	})
	return err
}

func (r *fileRejects) close() {
	if r.producer != nil {
		r.producer.Close()
	}
}
