package embedded

import (
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// keepLast lowers what a DeleteRecords request asks for, so that the last record of each partition stays: it holds the partition's end through the next
// start. Past the end it changes nothing, and the broker refuses.
func keepLast(c *kfake.Cluster) answer {
	return func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.DeleteRecordsRequest)
		for i := range req.Topics {
			t := &req.Topics[i]
			for j := range t.Partitions {
				p := &t.Partitions[j]
				info := c.PartitionInfo(t.Topic, p.Partition)
				if info == nil {
					continue
				}
				if p.Offset == -1 || p.Offset == info.HighWatermark {
					p.Offset = max(info.LogStartOffset, info.HighWatermark-1)
				}
			}
		}
		return nil, nil, false
	}
}
