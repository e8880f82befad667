package embedded

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// leastShare is what a partition may bring in any case, so that one with large batches does not starve.
const leastShare = 1 << 20

// shareFetch divides the bytes of a read-committed fetch among its partitions and lifts the bound on all of them together. At that bound the broker
// breaks off in the middle of a partition and leaves out which of its transactions were aborted, so that the reader would take their records for
// committed; at a partition's own bound it does not.
func shareFetch(next answer) answer {
	return func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.FetchRequest)
		partitions := 0
		for i := range req.Topics {
			partitions += len(req.Topics[i].Partitions)
		}
		if req.IsolationLevel == 1 {
			share := max(req.MaxBytes/int32(max(partitions, 1)), leastShare)
			for i := range req.Topics {
				for j := range req.Topics[i].Partitions {
					p := &req.Topics[i].Partitions[j]
					p.PartitionMaxBytes = min(p.PartitionMaxBytes, share)
				}
			}
			req.MaxBytes = math.MaxInt32
		}
		return next(r)
	}
}
