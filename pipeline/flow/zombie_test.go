package flow_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// evict makes a group forget its members, who do not hear of it before their next heartbeat.
func evict(t *testing.T, brokers []string, group string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	groups, err := kadm.NewClient(client).DescribeGroups(within(t), group)
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = group
	for _, m := range groups[group].Members {
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = m.MemberID
		req.Members = append(req.Members, member)
	}
	if _, err := req.RequestWith(within(t), client); err != nil || len(req.Members) == 0 {
		t.Fatalf("evict %d members: %v", len(req.Members), err)
	}
}

// TestZombieIsFencedInTheMiddleOfItsTransaction stops a member between two records of a transaction, gives its partition
// to another, which does everything, and lets the first go on: it still believes that the partition is its own.
func TestZombieIsFencedInTheMiddleOfItsTransaction(t *testing.T) {
	fake := brokertest.Fake(t)
	cfg := kafka.Config{Brokers: fake.ListenAddrs(), Namespace: brokertest.Name(t), Heartbeat: 200 * time.Millisecond}
	c := connect(t, cfg)
	f := newFolding(t, c, 1)
	write(t, c, f.in, 1, 0, 100)

	deaf := cfg
	deaf.Heartbeat, deaf.Session = time.Minute, 2*time.Minute
	zombie := counter(f.in, f.out, f.log)
	reached, proceed, fold := make(chan struct{}, 1), make(chan struct{}), zombie.Fold
	zombie.Fold = func(s seen, in string, emit func(any)) (seen, error) {
		if in == "value-50" {
			select {
			case reached <- struct{}{}:
			default:
			}
			<-proceed
		}
		return fold(s, in, emit)
	}
	old := start(t, connect(t, deaf), zombie)
	<-reached
	evict(t, cfg.Brokers, c.Name("count"))
	young := start(t, c, counter(f.in, f.out, f.log))
	awaitPositions(t, c, young, f)
	close(proceed)
	old.await(t, "the zombie is fenced and joins again", func(l flow.LinkStatus) bool { return l.Counts.Rejoins > 0 })
	write(t, c, f.in, 1, 100, 100)
	awaitPositions(t, c, young, f)
	f.check(t, c, 1, 200)
}
