package flow_test

import (
	"sync"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
)

// Producers and links of one topic start at once: whoever makes the rejects topic, all are content with it.
func TestEnsureRejectsByManyAtOnce(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	topic := brokertest.Topic(t, c, 3)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := flow.EnsureRejects(within(t), c, topic); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	info, err := flow.EnsureRejects(within(t), c, topic)
	if err != nil || info.Name != flow.RejectsTopic(topic) || info.Partitions != 3 || info.MaxMessageBytes < 1<<20+flow.RejectRoom {
		t.Errorf("%+v %v", info, err)
	}
}
