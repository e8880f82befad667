package pipeline

import (
	"context"

	"stripeline/pipeline/kafka"
)

// outlet is where rows, rejects and the record of a run go.
type outlet interface {
	// Produce sends a record and tells done when the brokers have it, or what the client says of it (kafka.Explain). It may block.
	Produce(ctx context.Context, r *kafka.Record, done func(*kafka.Record, error))
	// settle waits until the brokers have everything that was produced, then makes last, which may be nil, known too: after an error it is not.
	settle(ctx context.Context, last *kafka.Record) error
	// drop forgets what was produced since the last settle as far as that can be done.
	drop(ctx context.Context)
	// lost is why nothing more can be sent or settled here although another outlet in its place could; nil while that is not so.
	lost() error
	// Buffered gives the bytes that are not confirmed.
	Buffered() int64
	// Close ends the outlet; what is not settled may be there or not.
	Close()
}

// plainOutlet sends as it goes: after a crash what lies behind the last settle may be sent again.
type plainOutlet struct {
	*kafka.Producer
	failed func() error // why a record that was produced did not arrive, nil while all did
}

// Produce is the producer's way that costs no memory.
func (o plainOutlet) Produce(ctx context.Context, r *kafka.Record, done func(*kafka.Record, error)) {
	o.Send(ctx, r, done)
}

func (o plainOutlet) settle(ctx context.Context, last *kafka.Record) error {
	if err := o.Flush(ctx); err != nil {
		return err
	}
	if err := o.failed(); err != nil || last == nil {
		return err
	}
	return o.ProduceSync(ctx, last)
}

func (o plainOutlet) drop(context.Context) {}

func (o plainOutlet) lost() error { return nil }

// exactOutlet sends in transactions, one from settle to settle.
type exactOutlet struct {
	*kafka.Transactor
	open   bool
	failed func() error
	again  func(context.Context) (*kafka.Transactor, error) // opens the same id
}

// Produce begins a transaction with the first record.
func (o *exactOutlet) Produce(ctx context.Context, r *kafka.Record, done func(*kafka.Record, error)) {
	if !o.open {
		if err := o.Begin(); err != nil {
			done(r, err)
			return
		}
		o.open = true
	}
	o.Transactor.Produce(ctx, r, done)
}

func (o *exactOutlet) settle(ctx context.Context, last *kafka.Record) error {
	if last != nil {
		o.Produce(ctx, last, func(*kafka.Record, error) {}) // Commit tells of its failure
	}
	if err := o.failed(); err != nil {
		return err
	}
	if !o.open {
		return nil
	}
	err := o.Commit(ctx)
	o.open = err != nil
	return err
}

// drop opens another transactor, as one that has aborted is of no further use; but not where another process may have the id by now.
func (o *exactOutlet) drop(ctx context.Context) {
	if !o.open || o.Abort(ctx) != nil {
		return
	}
	if next, err := o.again(ctx); err == nil {
		o.Transactor.Close()
		o.Transactor, o.open = next, false
	}
}

// lost: brokers that were away for longer than a transaction may last have aborted it, and so has another process that runs under the same id.
func (o *exactOutlet) lost() error {
	if err := o.Failed(); err != nil && !kafka.IsLasting(err) {
		return err
	}
	return nil
}
