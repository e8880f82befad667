package kafka

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TransactGroupConfig says what a member of a group does that reads and writes in transactions.
type TransactGroupConfig struct {
	ID         string // transactional id, this member's alone
	Group      string
	Topic      string
	MaxRecords int // of one Poll, and so of one transaction; unbounded when 0

	FetchMaxBytes          int32 // of one broker's answer, 16 MiB when 0
	FetchMaxPartitionBytes int32 // of one partition in it, 4 MiB when 0

	Metadata string // of its commits
	Producer ProducerConfig
	Refused  func(*Record, error) // told of a record that the brokers refuse; End tells of it anyway. May be nil
}

// TransactGroup is one member of a consumer group whose writes and commits are one transaction: Poll, Begin, Produce, End. A rebalance before the
// End aborts the transaction, and what was polled for it comes again, here or elsewhere. Members that die are fenced by the group's generation:
// the brokers give no offsets of a partition away while a transaction on it is open (KIP-447). It is for one goroutine.
type TransactGroup struct {
	cfg     TransactGroupConfig
	session *kgo.GroupTransactSession

	hear func(*Record, error) // what became of a record

	mu     sync.Mutex
	failed error // of a record of the transaction under way
}

// NewTransactGroup joins the group in the background.
func (c *Cluster) NewTransactGroup(cfg TransactGroupConfig) (*TransactGroup, error) {
	writing, err := cfg.Producer.options()
	if err != nil {
		return nil, err
	}
	opts, err := c.cfg.options("")
	if err != nil {
		return nil, err
	}
	opts = append(append(opts, fetchOptions(cfg.FetchMaxBytes, cfg.FetchMaxPartitionBytes)...), writing...)
	opts = append(opts,
		kgo.TransactionalID(cfg.ID), kgo.TransactionTimeout(TransactionTimeout),
		kgo.ConsumerGroup(cfg.Group), kgo.ConsumeTopics(cfg.Topic),
		kgo.RebalanceTimeout(RebalanceTimeout), kgo.SessionTimeout(c.cfg.Session), kgo.HeartbeatInterval(c.cfg.Heartbeat),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
	)
	session, err := kgo.NewGroupTransactSession(opts...)
	if err != nil {
		return nil, wrap(err, "join group %s", cfg.Group)
	}
	g := &TransactGroup{cfg: cfg, session: session}
	g.hear = g.heard
	return g, nil
}

// Poll waits for records, as Group's does.
func (g *TransactGroup) Poll(ctx context.Context) ([]Batch, error) {
	return collect(ctx, g.session.Client(), g.cfg.MaxRecords)
}

// Begin starts a transaction for what Poll gave.
func (g *TransactGroup) Begin() error {
	g.mu.Lock()
	g.failed = nil
	g.mu.Unlock()
	return wrap(g.session.Begin(), "begin transaction of %s", g.cfg.ID)
}

// Produce adds a record to the transaction. It costs no memory of its own.
func (g *TransactGroup) Produce(ctx context.Context, r *Record) { g.session.Produce(ctx, r, g.hear) }

func (g *TransactGroup) heard(r *Record, err error) {
	if err == nil {
		return
	}
	err = Explain(r, err)
	g.mu.Lock()
	if g.failed == nil {
		g.failed = err
	}
	g.mu.Unlock()
	if g.cfg.Refused != nil {
		g.cfg.Refused(r, err)
	}
}

// End makes everything of the transaction visible and commits what was polled, all of it or nothing. committed is false without an error when the
// group was rebalanced meanwhile or a record was refused: what was polled comes again. After an error the member is of no further use.
func (g *TransactGroup) End(ctx context.Context) (committed bool, err error) {
	if err := g.session.Client().Flush(ctx); err != nil {
		return false, wrap(err, "flush transaction of %s", g.cfg.ID)
	}
	g.mu.Lock()
	try := kgo.TransactionEndTry(g.failed == nil)
	g.mu.Unlock()
	ctx = kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				req.Topics[t].Partitions[p].Metadata = kmsg.StringPtr(g.cfg.Metadata)
			}
		}
		return nil
	})
	committed, err = g.session.End(ctx, try)
	return committed, wrap(err, "end transaction of %s", g.cfg.ID)
}

// Abort drops the transaction; what was polled comes again.
func (g *TransactGroup) Abort(ctx context.Context) error {
	_, err := g.session.End(ctx, kgo.TryAbort)
	return wrap(err, "abort transaction of %s", g.cfg.ID)
}

// Failed gives the first error of a record of the last transaction.
func (g *TransactGroup) Failed() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failed
}

// Close leaves the group, waiting for it no longer than ctx. A transaction under way is aborted by the brokers after TransactionTimeout.
func (g *TransactGroup) Close(ctx context.Context) error {
	err := g.session.Client().LeaveGroupContext(ctx)
	g.session.Close()
	if errors.Is(err, kgo.ErrClientClosed) {
		err = nil
	}
	return wrap(err, "leave group %s", g.cfg.Group)
}
