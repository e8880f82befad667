package flow

import (
	"sync"

	"stripeline/pipeline/kafka"
)

// parcel is what one poll brought of one partition.
type parcel struct {
	records []*kafka.Record
	bytes   int64
}

// queue hands parcels from the poll loop to a partition's goroutine. It has no bound of its own: the budget bounds it.
type queue struct {
	mu      sync.Mutex
	parcels []parcel
	ready   chan struct{} // has a token while parcels may be there
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

func (q *queue) push(p parcel) {
	q.mu.Lock()
	q.parcels = append(q.parcels, p)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// pop gives the oldest parcel, if there is one.
func (q *queue) pop() (parcel, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.parcels) == 0 {
		return parcel{}, false
	}
	p := q.parcels[0]
	q.parcels[0] = parcel{}
	q.parcels = q.parcels[1:]
	return p, true
}
