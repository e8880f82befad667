package flow

import (
	"context"
	"sync"

	"stripeline/pipeline/kafka"
)

// feed reads a fold link's input, outside the group, for all partitions of this member. Only its own goroutine touches
// the reader and the inputs, so that after end no record of that session is in anyone's hand.
type feed struct {
	m      *member
	reader *kafka.Reader
	inputs map[int32]*input

	mu     sync.Mutex
	orders []func()           // to be done before the next fetch
	cancel context.CancelFunc // ends the fetch under way
}

// input is what one session of a partition is fed.
type input struct {
	p     *partition
	queue *queue
	fault chan error // has at most one error, after which nothing more comes
}

func newFeed(m *member) (*feed, error) {
	reader, err := m.cluster.NewReader(kafka.ReaderConfig{
		Name: m.link.Name, Topic: m.link.Input,
		FetchMaxBytes: m.config.FetchMaxBytes, FetchMaxPartitionBytes: m.config.FetchMaxPartitionBytes,
		MaxRecords: m.config.MaxRecords,
	})
	if err != nil {
		return nil, err
	}
	m.budget.pause, m.budget.resume = reader.Pause, reader.Resume
	return &feed{m: m, reader: reader, inputs: map[int32]*input{}, cancel: func() {}}, nil
}

// run fetches while the budget has room, until ctx ends. It also listens to the group, which fetches nothing.
func (f *feed) run(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { f.m.listen(ctx) })
	defer group.Wait()
	for ctx.Err() == nil {
		fetching, cancel := f.obey(ctx)
		if f.m.budget.room(fetching) {
			batches, err := f.reader.Fetch(fetching)
			f.deliver(batches)
			if err != nil && fetching.Err() == nil {
				f.m.report.log.Warn("input cannot be read", "link", f.m.link.Name, "err", err)
				pause(fetching, nil, 0)
			}
		}
		cancel()
	}
}

// obey does what was ordered and gives the context of the next fetch, which the next order ends.
func (f *feed) obey(ctx context.Context) (context.Context, context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, order := range f.orders {
		order()
	}
	f.orders = nil
	fetching, cancel := context.WithCancel(ctx)
	f.cancel = cancel
	return fetching, cancel
}

func (f *feed) order(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, do)
	f.cancel()
}

// begin feeds a partition from an offset on.
func (f *feed) begin(p *partition, at int64) *input {
	in := &input{p: p, queue: newQueue(), fault: make(chan error, 1)}
	f.order(func() {
		f.inputs[p.number] = in
		f.reader.Add(p.number, at)
	})
	return in
}

// end feeds a partition no longer. What it was fed and did not take is given back to the budget.
func (f *feed) end(in *input) {
	f.order(func() {
		if f.inputs[in.p.number] == in {
			delete(f.inputs, in.p.number)
			f.reader.Remove(in.p.number)
		}
		for next, ok := in.queue.pop(); ok; next, ok = in.queue.pop() {
			in.p.share.give(next.bytes)
		}
	})
}

func (f *feed) deliver(batches []kafka.Batch) {
	for _, b := range batches {
		in := f.inputs[b.Partition]
		if in == nil {
			continue
		}
		in.deliver(b.Records)
		if b.Err != nil {
			select {
			case in.fault <- b.Err:
			default:
			}
		}
	}
}

func (in *input) deliver(records []*kafka.Record) {
	if len(records) == 0 {
		return
	}
	var bytes int64
	for _, r := range records {
		bytes += int64(in.p.size(r))
	}
	in.p.share.take(bytes)
	in.p.report.polled(len(records), bytes)
	in.queue.push(parcel{records, bytes})
}

// take waits for records; nil without an error when the partition is leaving.
func (in *input) take() (parcel, error) {
	for !in.p.leaving() {
		if next, ok := in.queue.pop(); ok {
			return next, nil
		}
		select {
		case <-in.p.ctx.Done():
		case <-in.p.draining:
		case <-in.queue.ready:
		case err := <-in.fault:
			return parcel{}, err
		}
	}
	return parcel{}, nil
}
