package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// opening gives a context that also ends when the partition drains: what is only being opened need not be finished.
func (p *partition) opening() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(p.ctx)
	go func() {
		select {
		case <-p.draining:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// restore reads the output partition to its committed end: memory and position.
func (w *foldWork[S, In, Out]) restore(ctx context.Context) error {
	w.memory, w.position = map[string]S{}, schemas.Position{}
	starts, ends, err := w.m.cluster.Ends(ctx, w.link.Output)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if int(w.p.number) >= len(ends) || starts[w.p.number] >= ends[w.p.number] {
		return nil
	}
	reader, err := w.m.cluster.NewReader(kafka.ReaderConfig{Topic: w.link.Output, Offsets: map[int32]int64{w.p.number: kafka.Start}})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer reader.Close()
	for reader.Position(w.p.number) < ends[w.p.number] {
		records, err := reader.Poll(ctx)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		for _, r := range records {
			if err := w.recall(r); err != nil {
				return fmt.Errorf("restore record at offset %d of %s: %w", r.Offset, w.link.Output, err)
			}
		}
	}
	return nil
}

var positionPrefix = schemas.PositionKey("")

// recall takes one record of the output back into memory.
func (w *foldWork[S, In, Out]) recall(r *kafka.Record) (err error) {
	if bytes.HasPrefix(r.Key, positionPrefix) {
		if string(r.Key) == string(schemas.PositionKey(w.link.Name)) {
			w.position, err = w.link.DecodePosition(r.Value)
		}
		return err
	}
	key, apply, err := w.link.Restore(r)
	if err != nil || apply == nil {
		return err
	}
	w.remember(key, apply(w.memory[key]))
	return nil
}

// resume checks the position against the input and gives the offset to read from: the last consumed record's, which is
// checked when it comes, or the log's start when nothing was consumed yet.
func (w *foldWork[S, In, Out]) resume(ctx context.Context) (int64, error) {
	input := w.link.Input
	now, err := identify(ctx, w.m.cluster, input)
	if err != nil {
		return 0, err
	}
	if now != w.m.pin {
		return 0, w.m.pin.refuse(input, now.String())
	}
	starts, ends, err := w.m.cluster.Ends(ctx, input)
	if err != nil {
		return 0, err
	}
	if int(w.p.number) >= len(starts) {
		return 0, fmt.Errorf("%s has no partition %d", input, w.p.number)
	}
	start, end := starts[w.p.number], ends[w.p.number]
	if w.position.Next == 0 {
		if start > 0 {
			return 0, fmt.Errorf("%s partition %d starts at offset %d and %s has no position of %s: %w", input, w.p.number, start, w.link.Output, w.link.Name, ErrRebuild)
		}
		return 0, nil
	}
	if pinned := (pin{w.position.Topic, int(w.position.Partitions)}); pinned != w.m.pin {
		return 0, fmt.Errorf("%s has a position of %s on a topic with %s, %s is %s: %w", w.link.Output, w.link.Name, pinned, input, w.m.pin, ErrOtherTopic)
	}
	if err := lostBetween(w.position.Next, start, end); err != nil {
		return 0, err
	}
	if start == w.position.Next {
		return start, nil // the record before was removed by hand, and nothing behind it
	}
	w.unchecked = true
	return w.position.Next - 1, nil
}

// check compares the record before the position with the one that was consumed, and gives those after it.
func (w *foldWork[S, In, Out]) check(records []*kafka.Record) ([]*kafka.Record, error) {
	first, at := records[0], w.position.Next-1
	if first.Offset != at {
		return nil, fmt.Errorf("%s partition %d has no record at offset %d, which %s consumed last: %w", w.link.Input, w.p.number, at, w.link.Name, ErrPosition)
	}
	if sum := checksum(first); sum != w.position.CRC {
		return nil, fmt.Errorf("%s partition %d has another record at offset %d (CRC32C %08x) than %s consumed last (%08x): %w",
			w.link.Input, w.p.number, at, sum, w.link.Name, w.position.CRC, ErrPosition)
	}
	return records[1:], nil
}

// explain names the lost range when the position is not in the input's log any more.
func (w *foldWork[S, In, Out]) explain(err error) error {
	if !errors.Is(err, kafka.ErrOutOfRange) {
		return err
	}
	ctx, cancel := context.WithTimeout(w.p.ctx, commitTimeout)
	defer cancel()
	starts, ends, failed := w.m.cluster.Ends(ctx, w.link.Input)
	if failed != nil || int(w.p.number) >= len(starts) {
		return fmt.Errorf("%w: from offset %d on: %w", ErrLostRange, w.position.Next, err)
	}
	if lost := lostBetween(w.position.Next, starts[w.p.number], ends[w.p.number]); lost != nil {
		return lost
	}
	return err
}
