package interoptest

import (
	"context"
	"testing"
	"time"

	"stripeline/pipeline"
	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// stack is a whole running stack with nine targets and the address where strangers find its broker.
type stack struct {
	*pipeline.Dev
	brokers string
}

// anyStack runs on the brokers that brokertest has. Strangers speak to real ones in the clear, also where Stripeline uses SASL_SSL.
func anyStack(t *testing.T) stack {
	t.Helper()
	if !brokertest.Real() {
		return embeddedStack(t)
	}
	config := brokertest.Config(t)
	return stack{start(t, &config), brokertest.Brokers(t)[0]}
}

// embeddedStack runs on an embedded broker of its own.
func embeddedStack(t *testing.T) stack {
	t.Helper()
	d := start(t, nil)
	return stack{d, d.BrokerAddr()}
}

func start(t *testing.T, config *kafka.Config) *pipeline.Dev {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	o := pipeline.DevOptions{Dir: t.TempDir(), BrokerAddr: "127.0.0.1:0", RegistryAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Targets: 9,
		Durability: pipeline.DurabilityProcess, Kafka: config}
	if config != nil {
		o.Namespace = config.Namespace
	}
	d, err := pipeline.StartDev(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// registry is a client of the stack's registry, as the journeys have it.
func (s stack) registry(t *testing.T) pipeline.RegistryClient {
	t.Helper()
	c, err := s.Registry()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
