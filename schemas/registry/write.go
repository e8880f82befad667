package registry

import (
	"context"
	"errors"
)

// plan decides what a write appends. While it runs nothing else writes, so that what it sees of the state holds; no lock
// is held, so that it may take its time. No records means that there is nothing to do.
type plan func() ([]Record, error)

// write carries a plan out: as leader, alone, on a state that has everything in it, appended and read back. It returns
// a fault or nil. The client's going away does not stop it: an append is never left half-known without need.
func (r *Registry) write(ctx context.Context, p plan) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opts.WriteTimeout)
	defer cancel()
	var mine *pen
	select {
	case mine = <-r.writer:
	case <-ctx.Done():
		return faultf(50002, "Write timed out while waiting for other writes")
	}
	defer func() { r.writer <- mine }()
	if err := r.lead(ctx, mine); err != nil {
		return err
	}
	records, err := p()
	if err != nil || len(records) == 0 {
		return err
	}
	return r.append(ctx, mine, records)
}

// recordRoom is what a record may need beyond its schema's text: its other members.
const recordRoom = 16 << 10

func tooLarge() error {
	return faultf(42209, "Register operation failed because schema is too large")
}

// lead makes sure that this instance is the leader and knows everything that was written before.
func (r *Registry) lead(ctx context.Context, mine *pen) error {
	now := r.opts.Leader()
	if !now.Self {
		return notLeader(now)
	}
	if mine.synced && mine.term == now.Term {
		return nil
	}
	mine.term, mine.synced = now.Term, false
	if err := r.append(ctx, mine, []Record{{Key: NoopKey()}}); err != nil {
		return err
	}
	mine.synced = true
	return nil
}

func (r *Registry) append(ctx context.Context, mine *pen, records []Record) error {
	last, err := r.log.Append(ctx, mine.term, records)
	if err == nil {
		err = r.waitFor(ctx, last+1)
	}
	if err == nil {
		return nil
	}
	mine.synced = false
	if errors.Is(err, ErrNotLeader) {
		return notLeader(r.opts.Leader())
	}
	r.opts.Notice("write to the schema log: " + err.Error())
	if errors.Is(err, context.DeadlineExceeded) {
		return faultf(50002, "Write to the schema log timed out: it may or may not take effect")
	}
	return faultf(50001, "Error while writing to the schema log")
}

func notLeader(now Leadership) error {
	if now.Self || now.Address == "" {
		return faultf(50004, "No leader of the schema registry is known at the moment; try again")
	}
	return faultf(50003, "This instance is not the leader of the schema registry; send writes to %s", now.Address)
}
