package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Places to start reading from, beside plain offsets.
const (
	Start int64 = -2 // the log start
	End   int64 = -1 // the end as it is when reading begins
)

const (
	fetchWait          = 250 * time.Millisecond // a paused partition stalls its broker's fetch for so long
	defaultFetch       = 16 << 20
	defaultFetchOfPart = 4 << 20
)

// ReaderConfig says what a Reader reads.
type ReaderConfig struct {
	Name                   string // names the reader in metrics; "reader" when empty
	Topic                  string
	Offsets                map[int32]int64 // partition to first offset, Start or End; more can be added later
	FetchMaxBytes          int32           // of one broker's answer, 16 MiB when 0
	FetchMaxPartitionBytes int32           // of one partition in it, 4 MiB when 0
	MaxRecords             int             // of one Poll; unbounded when 0
}

// Reader reads partitions of one topic, read committed and outside any group. Poll and Fetch are for one goroutine; the
// other methods may be called from anywhere.
type Reader struct {
	topic  string
	most   int // records of one poll, 0 for no bound
	client *kgo.Client

	mu        sync.Mutex
	positions map[int32]int64
	moved     chan struct{} // closed and replaced when a position moves
}

// Batch is what one fetch brought of one partition. After an Err, which wraps a PartitionError, nothing more comes of it.
type Batch struct {
	Partition int32
	Records   []*Record
	Err       error
}

// NewReader opens a reader. An offset outside the log is not moved into it: Poll gives a PartitionError that wraps
// ErrOutOfRange.
func (c *Cluster) NewReader(cfg ReaderConfig) (*Reader, error) {
	if cfg.Name == "" {
		cfg.Name = "reader"
	}
	r := &Reader{topic: cfg.Topic, most: cfg.MaxRecords, positions: map[int32]int64{}, moved: make(chan struct{})}
	opts := append(fetchOptions(cfg.FetchMaxBytes, cfg.FetchMaxPartitionBytes),
		kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{cfg.Topic: place(cfg.Offsets)}))
	for p, at := range cfg.Offsets {
		r.positions[p] = at
	}
	client, err := c.open(cfg.Name, opts...)
	if err != nil {
		return nil, err
	}
	r.client = client
	return r, nil
}

// fetchOptions are those of every client that reads.
func fetchOptions(total, part int32) []kgo.Opt {
	if total == 0 {
		total = defaultFetch
	}
	if part == 0 {
		part = min(total, defaultFetchOfPart)
	}
	return []kgo.Opt{
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(total),
		kgo.FetchMaxPartitionBytes(part),
		kgo.ConsumeStartOffset(kgo.NoResetOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	}
}

func place(offsets map[int32]int64) map[int32]kgo.Offset {
	placed := map[int32]kgo.Offset{}
	for p, at := range offsets {
		placed[p] = kgo.NoResetOffset().At(at)
	}
	return placed
}

// Poll waits for records and gives them in the order of each partition. Errors of partitions are joined in the error,
// each a *PartitionError; the records that came beside them are valid.
func (r *Reader) Poll(ctx context.Context) ([]*Record, error) {
	batches, err := r.Fetch(ctx)
	if err != nil {
		return nil, err
	}
	var records []*Record
	var errs []error
	for _, b := range batches {
		if b.Err != nil {
			errs = append(errs, b.Err)
		}
		if records == nil {
			records = b.Records
			continue
		}
		records = append(records, b.Records...)
	}
	return records, errors.Join(errs...)
}

// Fetch waits like Poll and gives the records by partition.
func (r *Reader) Fetch(ctx context.Context) ([]Batch, error) {
	batches, err := collect(ctx, r.client, r.most)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range batches {
		if n := len(b.Records); n > 0 {
			if _, ok := r.positions[b.Partition]; ok {
				r.positions[b.Partition] = b.Records[n-1].Offset + 1
			}
		}
		batches[i].Records = withoutControl(b.Records)
	}
	close(r.moved)
	r.moved = make(chan struct{})
	return batches, nil
}

// collect polls once and sorts what came by partition.
func collect(ctx context.Context, client *kgo.Client, most int) ([]Batch, error) {
	fetches := client.PollRecords(ctx, most)
	if err := ctx.Err(); err != nil && fetches.NumRecords() == 0 {
		return nil, err
	}
	if fetches.IsClientClosed() {
		return nil, ErrClosed
	}
	var batches []Batch
	var failed error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		switch {
		case p.Err == nil:
		case errors.Is(p.Err, context.Canceled), errors.Is(p.Err, context.DeadlineExceeded):
			return
		case p.Topic == "":
			failed = wrap(p.Err, "read")
			return
		default:
			p.Err = &PartitionError{p.Topic, p.Partition, wrap(p.Err, "fetch")}
		}
		batches = append(batches, Batch{p.Partition, p.Records, p.Err})
	})
	return batches, failed
}

// withoutControl drops the markers of transactions, in place.
func withoutControl(records []*Record) []*Record {
	kept := records[:0]
	for _, rec := range records {
		if !rec.Attrs.IsControl() {
			kept = append(kept, rec)
		}
	}
	return kept
}

// Position gives the offset after the last record that Poll gave of a partition, markers of transactions included, so
// that it reaches a stable end also where that end lies behind a marker. Before the first record it is what was asked for.
func (r *Reader) Position(partition int32) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.positions[partition]
	if !ok {
		return Start
	}
	return at
}

// Moved gives a channel that is closed when any position may have moved.
func (r *Reader) Moved() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

// Add begins to read a further partition. Call it from the goroutine that polls, so that no earlier fetch is in hand.
func (r *Reader) Add(partition int32, at int64) {
	r.mu.Lock()
	r.positions[partition] = at
	r.mu.Unlock()
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: place(map[int32]int64{partition: at})})
	r.Resume(partition)
}

// Remove ends reading a partition. Call it from the goroutine that polls.
func (r *Reader) Remove(partition int32) {
	r.mu.Lock()
	delete(r.positions, partition)
	r.mu.Unlock()
	r.client.RemoveConsumePartitions(map[string][]int32{r.topic: {partition}})
}

// Pause stops fetching a partition, Resume goes on where it stopped.
func (r *Reader) Pause(partition int32) {
	r.client.PauseFetchPartitions(map[string][]int32{r.topic: {partition}})
}

// Resume undoes Pause.
func (r *Reader) Resume(partition int32) {
	r.client.ResumeFetchPartitions(map[string][]int32{r.topic: {partition}})
}

// Close ends the reader.
func (r *Reader) Close() { r.client.Close() }
