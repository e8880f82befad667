package embedded

import (
	"log/slog"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/consumers/durable"
)

// space refuses records while the disk is nearly full. What is left is for the broker's own notes: it answers that a transaction is committed also when
// there was no room for the mark of it.
type space struct {
	dir  string
	keep int64 // bytes
	log  *slog.Logger
	low  atomic.Bool
}

// answerProduce refuses with KAFKA_STORAGE_ERROR, after which clients try again by themselves. A client that wants no answer gets none, and is served.
func (s *space) answerProduce(r kmsg.Request) (kmsg.Response, error, bool) {
	req := r.(*kmsg.ProduceRequest)
	if !s.short() || req.Acks == 0 {
		return nil, nil, false
	}
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		refused := kmsg.NewProduceResponseTopic()
		refused.Topic, refused.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition, part.ErrorCode, part.BaseOffset = p.Partition, kerr.KafkaStorageError.Code, -1
			refused.Partitions = append(refused.Partitions, part)
		}
		resp.Topics = append(resp.Topics, refused)
	}
	return resp, nil, true
}

// short asks the file system, and says in the log when its answer changes.
func (s *space) short() bool {
	free, err := durable.Free(s.dir)
	low := err == nil && free < s.keep
	if s.low.Swap(low) == low {
		return low
	}
	if low {
		s.log.Error("disk is nearly full: the embedded broker takes no records until there is room", "dir", s.dir, "free", free, "needed", s.keep)
	} else {
		s.log.Warn("disk has room again: the embedded broker takes records", "dir", s.dir, "free", free)
	}
	return low
}
