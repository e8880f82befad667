package embedded

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// floors are the first offsets that compacted topics still have, by name and by id. On a real broker compaction leaves the log's start where it was; here
// it moves to the first record kept, and a reader that stood before it would be told that it lost a range.
type floors struct {
	byName map[string][]int64
	byID   map[[16]byte][]int64
}

func lowest(c *kfake.Cluster, topics []topicState) *floors {
	f := &floors{byName: make(map[string][]int64), byID: make(map[[16]byte][]int64)}
	for _, t := range topics {
		info := c.TopicInfo(t.Name)
		if info == nil || !t.compacted() {
			continue
		}
		var starts []int64
		for _, p := range look(c, t.Name) {
			starts = append(starts, p.start)
		}
		f.byName[t.Name], f.byID[info.TopicID] = starts, starts
	}
	return f
}

// raiseFetch lets a fetch of a compacted partition that begins before the log's start begin at the start.
func raiseFetch(current *atomic.Pointer[floors]) answer {
	return func(r kmsg.Request) (kmsg.Response, error, bool) {
		f := current.Load()
		req := r.(*kmsg.FetchRequest)
		if f == nil || len(f.byName) == 0 {
			return nil, nil, false
		}
		for i := range req.Topics {
			t := &req.Topics[i]
			starts := f.byName[t.Topic]
			if t.Topic == "" {
				starts = f.byID[t.TopicID]
			}
			for j := range t.Partitions {
				p := &t.Partitions[j]
				if int(p.Partition) < len(starts) && p.FetchOffset >= 0 {
					p.FetchOffset = max(p.FetchOffset, starts[p.Partition])
				}
			}
		}
		return nil, nil, false
	}
}
