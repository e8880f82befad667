package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TransactionTimeout is after how long the brokers abort a transaction whose producer fell silent.
const TransactionTimeout = 10 * time.Second

// Transactor writes records in transactions, one at a time, under a transactional id. There is one Transactor per id in
// the world: opening another fences this one. After any error it is of no further use: close it, open another, and read
// back what has been committed. It is for one goroutine.
type Transactor struct {
	id     string
	client *kgo.Client

	open    bool            // a transaction is under way
	topics  map[string]bool // written to in this transaction or an earlier one
	further bool            // this transaction wrote to topics that no earlier one did
	pending sync.WaitGroup  // records whose done is not called

	mu     sync.Mutex
	failed error // the first error; nothing is sent after it
}

// NewTransactor opens the transactional id: whatever its former holder left unfinished is aborted and that holder is
// fenced when this returns. manual names topics whose records go to Record.Partition instead of by key.
func (c *Cluster) NewTransactor(ctx context.Context, id string, manual ...string) (*Transactor, error) {
	return c.OpenTransactor(ctx, id, ProducerConfig{Manual: manual})
}

func newTransactor(id string, client *kgo.Client) *Transactor {
	return &Transactor{id: id, client: client, topics: map[string]bool{}}
}

// Begin starts a transaction.
func (t *Transactor) Begin() error {
	if err := t.err(); err != nil {
		return err
	}
	if err := t.client.BeginTransaction(); err != nil {
		return t.fail(wrap(err, "begin transaction of %s", t.id))
	}
	t.open = true
	return nil
}

// Produce adds a record to the transaction. done may be nil: Commit tells of every failure anyway.
func (t *Transactor) Produce(ctx context.Context, r *Record, done func(*Record, error)) {
	if !t.topics[r.Topic] {
		t.topics[r.Topic], t.further = true, true
	}
	t.pending.Add(1)
	t.client.Produce(ctx, r, func(r *Record, err error) {
		defer t.pending.Done()
		err = Explain(r, err)
		if err != nil {
			_ = t.fail(err)
		}
		if done != nil {
			done(r, err)
		}
	})
}

// Commit waits until the brokers have every record of the transaction and makes them visible, all of them or none. With
// an error the outcome is unknown until what is committed has been read by a newly opened Transactor's owner.
func (t *Transactor) Commit(ctx context.Context) error {
	if err := t.client.Flush(ctx); err != nil {
		return t.fail(wrap(err, "flush transaction of %s", t.id))
	}
	if err := t.err(); err != nil {
		return err
	}
	if err := t.settleTopics(ctx); err != nil {
		return t.fail(wrap(err, "settle topics of %s", t.id))
	}
	if err := t.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return t.fail(wrap(err, "commit transaction of %s", t.id))
	}
	t.open = false
	return nil
}

// noTopic is a name that no topic can have.
const noTopic = "/"

// settleTopics waits until the client has stored what it learnt of topics that it wrote to for the first time. It sends their records before it
// stores that (franz-go 1.22.2, storePartitionsUpdate), and a transaction that is ended in between is taken for one without records: the client aborts
// it and calls that a commit. Purging runs between two updates of metadata, so having purged a name that does not exist is having waited.
func (t *Transactor) settleTopics(ctx context.Context) error {
	if !t.further {
		return nil
	}
	settled := make(chan struct{})
	go func() {
		t.client.PurgeTopicsFromProducing(noTopic)
		close(settled)
	}()
	select {
	case <-settled:
		t.further = false
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Abort drops the transaction. After an error it does nothing: the next holder of the id aborts what is left, and this
// one must not fence that holder by trying.
func (t *Transactor) Abort(ctx context.Context) error {
	if !t.open || t.err() != nil {
		return t.err()
	}
	t.open = false
	if err := t.client.AbortBufferedRecords(ctx); err != nil {
		return t.fail(wrap(err, "abort transaction of %s", t.id))
	}
	if err := t.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return t.fail(wrap(err, "abort transaction of %s", t.id))
	}
	return nil
}

// Close ends the producer and returns when every done was called. A transaction under way is left to the next holder of the id, or to
// TransactionTimeout.
func (t *Transactor) Close() {
	t.client.Close()
	t.pending.Wait()
}

// Buffered gives the bytes that wait for their confirmation.
func (t *Transactor) Buffered() int64 { return t.client.BufferedProduceBytes() }

// Failed gives the first error, after which the Transactor is of no further use; nil while there was none.
func (t *Transactor) Failed() error { return t.err() }

func (t *Transactor) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

func (t *Transactor) fail(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil || errors.Is(err, ErrFenced) {
		t.failed = err
	}
	return t.failed
}
