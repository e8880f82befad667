package kafka_test

import (
	"runtime"
	"sync"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/kafka"
)

// The first transaction of a client is the one whose topic it still has to learn. A commit must not say that it is done where the records are dropped:
// the race that this looks for (Transactor.settleTopics) is lost about once in four thousand commits, on a machine that is busy with other processes.
func TestFirstTransactionOfATransactorIsCommitted(t *testing.T) {
	const brokers, rounds = 16, 40
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(32))
	var wg sync.WaitGroup
	for range brokers {
		c := brokertest.Connect(t, brokertest.Config(t))
		topic := brokertest.Topic(t, c, 1)
		wg.Go(func() {
			for range rounds {
				if err := commitOne(t, c, topic); err != nil {
					t.Error(err)
					return
				}
			}
			if n := stableRecords(t, c, topic); n != rounds {
				t.Errorf("%d records are there, %d were committed", n, rounds)
			}
		})
	}
	wg.Wait()
}

// commitOne writes a record with a client of its own.
func commitOne(t *testing.T, c *kafka.Cluster, topic string) error {
	tx, err := c.NewTransactor(within(t), c.Name("first"), topic)
	if err != nil {
		return err
	}
	defer tx.Close()
	if err := tx.Begin(); err != nil {
		return err
	}
	tx.Produce(within(t), &kafka.Record{Topic: topic, Value: []byte("one")}, nil)
	return tx.Commit(within(t))
}

// stableRecords counts the records that a reader of partition 0 is given up to its stable end.
func stableRecords(t *testing.T, c *kafka.Cluster, topic string) int {
	ends, err := c.StableEnds(within(t), topic)
	if err != nil {
		t.Error(err)
		return 0
	}
	r, err := c.NewReader(kafka.ReaderConfig{Topic: topic, Offsets: map[int32]int64{0: kafka.Start}})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer r.Close()
	seen := 0
	for r.Position(0) < ends[0] {
		polled, err := r.Poll(within(t))
		if err != nil {
			t.Error(err)
			return 0
		}
		seen += len(polled)
	}
	return seen
}
