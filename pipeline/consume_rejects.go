package pipeline

import (
	"context"
	"strconv"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// fileRejects files records that no file can hold.
type fileRejects struct {
	cluster    *kafka.Cluster
	topic      string
	group      string
	partitions int
	producer   *kafka.Producer // nil before the first reject
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
	name := flow.RejectsTopic(r.topic)
	if _, err := r.cluster.Identify(ctx, name); err != nil {
		info, err := r.cluster.Identify(ctx, r.topic)
		if err != nil {
			return err
		}
		err = r.cluster.Ensure(ctx, kafka.Topic{Name: name, Partitions: int32(r.partitions), Configs: map[string]string{
			kafka.CleanupPolicy: "delete", kafka.RetentionMS: "-1", kafka.MaxMessageBytes: strconv.Itoa(info.MaxMessageBytes + rejectRoom),
		}})
		if err != nil {
			return err
		}
	}
	info, err := r.cluster.Identify(ctx, name)
	if err != nil {
		return err
	}
	r.producer, err = r.cluster.NewProducer(kafka.ProducerConfig{
		Name: "rejects", Manual: []string{name}, MaxBatch: int32(min(info.MaxMessageBytes, largestBatch)),
	})
	return err
}

func (r *fileRejects) close() {
	if r.producer != nil {
		r.producer.Close()
	}
}
