package kafka_test

import (
	"context"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// A broker may hold a write for as long as it likes; who waits for it need not.
func TestProduceSyncEndsWithItsContextWhileTheBrokerHoldsTheWrite(t *testing.T) {
	broker := brokertest.Fake(t)
	c := brokertest.Connect(t, kafka.Config{Brokers: broker.ListenAddrs(), Namespace: brokertest.Name(t)})
	topic := brokertest.Topic(t, c, 1)
	held, release := make(chan struct{}), make(chan struct{})
	broker.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		broker.SleepControl(func() {
			close(held)
			<-release
		})
		return nil, nil, false
	})
	producer, err := c.NewProducer(kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-held
		cancel()
	}()
	if err := producer.ProduceSync(ctx, &kafka.Record{Topic: topic, Value: []byte("held")}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the context has ended", err)
	}
	close(release)
	if err := producer.Flush(t.Context()); err != nil { // the broker shall not write while its directory is removed
		t.Error(err)
	}
}
