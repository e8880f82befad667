package flow_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// troubles are answers of a broker that is in trouble, some of them given after the work was done all the same.
var troubles = []kfake.Fault{
	{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 4},
	{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: 4},
	{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 3},
	{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: 3},
	{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: 3},
	{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownServerError, Count: 2},
	{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.RebalanceInProgress, Count: 2},
	{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError, Count: 2},
	{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.CoordinatorNotAvailable, Count: 2},
	{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.ProducerFenced, Count: 1},
	{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ConcurrentTransactions, Count: 2},
}

// inTrouble gives a broker in trouble once the topics are there, and says how often trouble came.
func inTrouble(t *testing.T) (c *kafka.Cluster, begin func() (hits func() int)) {
	fake := brokertest.Fake(t)
	c = connect(t, kafka.Config{Brokers: fake.ListenAddrs(), Namespace: brokertest.Name(t)})
	return c, func() func() int {
		var all []*kfake.FaultHandle
		for _, f := range troubles {
			all = append(all, fake.Fault(f))
		}
		return func() (n int) {
			for _, f := range all {
				n += f.Hits()
			}
			return n
		}
	}
}

func TestFoldLinkExactlyOnceOnABrokerInTrouble(t *testing.T) {
	c, begin := inTrouble(t)
	f := newFolding(t, c, 3)
	hits := begin()
	r := start(t, c, counter(f.in, f.out, f.log))
	write(t, c, f.in, 3, 0, 600)
	awaitPositions(t, c, r, f)
	f.check(t, c, 3, 600)
	if n := hits(); n < 10 {
		t.Errorf("only %d faults fired", n)
	}
}

func TestSinkLinkLosesNothingOnABrokerInTrouble(t *testing.T) {
	c, begin := inTrouble(t)
	in, acks := brokertest.Topic(t, c, 3), brokertest.Topic(t, c, 1)
	hits := begin()
	s := newShelf()
	r := start(t, c, s.link(in, acks))
	write(t, c, in, 3, 0, 600)
	awaitCommits(t, c, r, c.Name("keep"), in)
	t.Logf("%d repeats of 600 records", s.check(t, c, acks, 600))
	if n := hits(); n < 10 {
		t.Errorf("only %d faults fired", n)
	}
	if got := len(read(t, c, flow.RejectsTopic(in))); got == 0 {
		t.Error("no reject")
	}
}
