package flow

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// foldWork is one session of one partition of a fold: from opening its producer to the first failure.
type foldWork[S, In, Out any] struct {
	link *FoldLink[S, In, Out]
	m    *member
	feed *feed
	p    *partition

	tx           *kafka.Transactor
	memory       map[string]S
	position     schemas.Position
	unchecked    bool // the next record is the one before the position
	transactions int

	now   *transaction    // the transaction under way
	fault error           // the first error of emit in the fold under way
	outs  []*kafka.Record // what the fold under way emitted
}

const (
	transactionEvery = 50 * time.Millisecond
	finishTimeout    = 2 * kafka.TransactionTimeout
)

// session works until the partition leaves (nil) or something fails. Opening the producer fences the former holder of the
// partition, so that what is read after it is final.
func (w *foldWork[S, In, Out]) session() error {
	ctx, cancel := w.p.opening()
	defer cancel()
	w.p.report.state(w.p.number, StateOpening, nil)
	id := fmt.Sprintf("%s.%d", w.m.cluster.Name(w.link.Name), w.p.number)
	tx, err := w.m.cluster.NewTransactor(ctx, id, w.link.Output, RejectsTopic(w.link.Input))
	if err != nil {
		return err
	}
	defer tx.Close()
	w.tx = tx
	if err := w.restore(ctx); err != nil {
		return err
	}
	at, err := w.resume(ctx)
	if err != nil {
		return err
	}
	in := w.feed.begin(w.p, at)
	defer w.feed.end(in)
	w.p.report.state(w.p.number, StateRunning, nil)
	w.mark()
	return w.loop(in)
}

// loop folds what comes. The record at the position's own offset less one is there only to be checked.
func (w *foldWork[S, In, Out]) loop(in *input) error {
	for {
		next, err := in.take()
		if err != nil {
			return w.explain(err)
		}
		if len(next.records) == 0 {
			return nil
		}
		records := next.records
		if w.unchecked {
			if records, err = w.check(records); err != nil {
				return err
			}
			w.unchecked = false
		}
		for len(records) > 0 && err == nil && !w.p.leaving() {
			records, err = w.transact(records)
		}
		w.p.share.give(next.bytes)
		if err != nil {
			return err
		}
	}
}

// transact folds records for up to transactionEvery, commits what came of them, and gives the records that are left.
func (w *foldWork[S, In, Out]) transact(records []*kafka.Record) ([]*kafka.Record, error) {
	if err := w.tx.Begin(); err != nil {
		return nil, err
	}
	w.now = newTransaction(w.link.Output, w.p.number)
	started, n := time.Now(), 0
	for n < len(records) && (n == 0 || time.Since(started) < transactionEvery) {
		if err := w.take(records[n]); err != nil {
			w.abort()
			return nil, fmt.Errorf("fold record at offset %d: %w", records[n].Offset, err)
		}
		n++
	}
	if err := w.finish(records[n-1]); err != nil {
		return nil, err
	}
	w.transactions++
	w.p.report.done(n)
	w.p.report.emitted(w.now.emitted())
	w.p.report.count(func(c *Counts) { c.Transactions++; c.Rejects += int64(w.now.rejects) })
	w.mark()
	return records[n:], nil
}

// take folds one record into memory.
func (w *foldWork[S, In, Out]) take(r *kafka.Record) error {
	key, in, err := w.link.Decode(r)
	if err != nil {
		return w.reject(r, err)
	}
	w.outs, w.fault = w.outs[:0], nil
	state, err := w.link.Fold(w.memory[key], in, w.emit)
	if err != nil {
		return w.reject(r, err)
	}
	if w.fault != nil {
		return w.fault
	}
	w.remember(key, state)
	for _, out := range w.outs {
		w.now.add(out)
	}
	return nil
}

func (w *foldWork[S, In, Out]) emit(out Out) {
	r, err := w.link.Encode(out)
	if err != nil {
		w.fault = errors.Join(w.fault, fmt.Errorf("encode: %w", notRejected(err)))
		return
	}
	w.outs = append(w.outs, r)
}

func (w *foldWork[S, In, Out]) remember(key string, state S) {
	if w.link.Forget != nil && w.link.Forget(state) {
		delete(w.memory, key)
		return
	}
	w.memory[key] = state
}

// reject files a record in the transaction, or gives the error back if it is not a rejection.
func (w *foldWork[S, In, Out]) reject(r *kafka.Record, err error) error {
	why, ok := schemas.AsReject(err)
	if !ok {
		return err
	}
	w.now.reject(RejectRecord(w.link.Name, r, why))
	return nil
}

// finish writes what the transaction holds, the position last, and commits it. It goes on when the partition is being
// taken away, for a bounded time: the transaction is either finished or left to be aborted.
func (w *foldWork[S, In, Out]) finish(last *kafka.Record) error {
	ctx, cancel := context.WithTimeout(w.p.ctx, finishTimeout)
	defer cancel()
	next := schemas.Position{
		Link: w.link.Name, Topic: w.m.pin.id, Partitions: int32(w.m.pin.partitions),
		Next: last.Offset + 1, CRC: checksum(last),
	}
	value, err := w.link.EncodePosition(next)
	if err != nil {
		w.abort()
		return fmt.Errorf("encode position: %w", err)
	}
	w.now.write(func(r *kafka.Record) { w.tx.Produce(ctx, r, nil) })
	w.tx.Produce(ctx, &kafka.Record{Topic: w.link.Output, Partition: w.p.number, Key: schemas.PositionKey(w.link.Name), Value: value}, nil)
	if err := w.tx.Commit(ctx); err != nil {
		return err
	}
	w.position = next
	return nil
}

func (w *foldWork[S, In, Out]) abort() {
	ctx, cancel := context.WithTimeout(w.p.ctx, commitTimeout)
	defer cancel()
	if err := w.tx.Abort(ctx); err != nil {
		w.p.report.log.Debug("transaction not aborted", "link", w.link.Name, "partition", w.p.number, "err", err)
	}
}

// mark lets the group's offset follow the position, so that lag can be seen.
func (w *foldWork[S, In, Out]) mark() {
	w.p.window.set(kafka.Mark{Offset: w.position.Next, Epoch: -1})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is what a position record says of the last record consumed: key, then value.
func checksum(r *kafka.Record) uint32 {
	return crc32.Update(schemas.CRC(r.Key), castagnoli, r.Value)
}
