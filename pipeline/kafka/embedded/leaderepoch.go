package embedded

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerEpochs says that every epoch reaches to the end of the log, which is the truth where one broker has led since the first record. The broker's own
// answer after a leader's move is -1, and clients take that for lost data and go back.
func answerEpochs(c *kfake.Cluster) answer {
	return func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.OffsetForLeaderEpochRequest)
		resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		for _, t := range req.Topics {
			told := kmsg.NewOffsetForLeaderEpochResponseTopic()
			told.Topic = t.Topic
			for _, p := range t.Partitions {
				end := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
				end.Partition = p.Partition
				if info := c.PartitionInfo(t.Topic, p.Partition); info != nil {
					end.LeaderEpoch, end.EndOffset = p.LeaderEpoch, info.HighWatermark
				} else {
					end.ErrorCode = kerr.UnknownTopicOrPartition.Code
				}
				told.Partitions = append(told.Partitions, end)
			}
			resp.Topics = append(resp.Topics, told)
		}
		return resp, nil, true
	}
}
