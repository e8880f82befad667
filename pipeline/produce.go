package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/processors/conform"
	"stripeline/producers/textfile"
	"stripeline/schemas"
	"stripeline/schemas/rowplan"
)

// Production says where rows go and how. It is common to CSV and plain lines.
type Production struct {
	Cluster *kafka.Cluster
	Files   []string // names, patterns, or "-"
	Watch   Watching // in place of Files
	Topic   string

	Sync        bool          // wait for each record before the next
	Compression string        // as kafka.ProducerConfig has it
	MaxRejects  int64         // more stop the run; 0: no bound
	MaxShare    float64       // percent of the rows that may be rejects; 0: no bound
	Timeout     time.Duration // how long brokers or registry may be away while it runs; 0: for ever

	Recording Recording // how far each file came is recorded, so that the same run can be resumed

	Acked    func(Ack)    // told of every record that is confirmed; may be nil; must not block
	Progress *RowProgress // counts while it runs; may be nil
}

// RowSummary is what a run came to.
type RowSummary struct {
	Schema   RowSchema
	Rows     int64 // read: Acked + Rejects, unless the run was stopped
	Acked    int64
	Rejects  int64
	Bytes    int64 // read, after decompression
	Blank    int64 // lines passed over
	Took     time.Duration
	Finished bool         // every file was read to its end
	Earlier  []EarlierRun // files that an earlier run had begun: what it had confirmed is not counted above
	Moved    MovedCounts  // of a watched directory
}

// RejectsTopic is where records of a topic go that cannot be processed.
func RejectsTopic(topic string) string { return flow.RejectsTopic(topic) }

// rowSource gives the rows that are at hand and waits for the first alone; io.EOF, and any other error, may come with rows before it. The rows are
// valid until the batch is filled again.
type rowSource interface {
	Fill(ctx context.Context, b *rowplan.Batch) error
	Close() error
}

// stream is one source with what its rows become.
type stream struct {
	source rowSource
	stage  func(rowplan.Row, func(conform.Record)) error
	key    func(rowplan.Row) []byte // of a reject
	name   string

	place  func() place // behind the row that came last
	resume func(context.Context, textfile.Position) error
}

// place is how far a text has been read.
type place struct {
	textfile.Position
	blank int64 // lines passed over before it
}

// rowRun sends the rows of a production.
type rowRun struct {
	Production
	schema  RowSchema
	verb    string // for the headers of rejects
	made    conform.Record
	limit   int // bytes of a value that the topic takes
	out     outlet
	ahead   *aheadOutlet // what out is, nil where each record is waited for
	write   kafka.ProducerConfig
	sender  *sender
	rejects *rowRejects
	sent    *RowProgress // what the brokers have confirmed, be it committed or not
	waits   *patience
	began   time.Time
	before  int64 // bytes of the files that are done
	blank   int64
	read    int64        // rows of the text, or of all texts, those of earlier runs counted
	reached place        // behind the rows of the text in hand that were sent
	between bool         // every row before reached has been sent, and none behind it
	settle  func() error // records progress when it is time to; nil while nothing is recorded
	earlier []EarlierRun
	moved   MovedCounts
	trying  atomic.Pointer[attempt]
}

func newRowRun(p Production, verb string) *rowRun {
	if p.Progress == nil {
		p.Progress = &RowProgress{}
	}
	r := &rowRun{Production: p, verb: verb, began: time.Now(), sent: p.Progress}
	if p.Recording.ExactlyOnce {
		r.sent = &RowProgress{} // rows count when they are committed
	}
	return r
}

// largestBatch bounds the bytes of a batch, whatever the topic would take.
const largestBatch = 16 << 20

// open looks at the topic and opens the producer.
func (r *rowRun) open(ctx context.Context) error {
	info, err := r.Cluster.Identify(ctx, r.Topic)
	if err != nil {
		return err
	}
	batch := min(info.MaxMessageBytes, largestBatch)
	r.limit = batch - 4<<10
	linger := time.Millisecond
	if r.Sync {
		linger = 0
	}
	r.rejects = &rowRejects{cluster: r.Cluster, topic: r.Topic, verb: r.verb, schema: r.schema, progress: r.sent, stop: r.fail}
	r.write = kafka.ProducerConfig{
		Name: "produce", MaxBatch: int32(batch), Compression: r.Compression, Linger: linger,
		BatchFor: func(topic string) int32 {
			if known := r.rejects.batch.Load(); topic != r.Topic && known > 0 {
				return known
			}
			return int32(batch)
		},
	}
	r.sender = newSender(r.Topic, r.sent)
	r.sender.acked, r.sender.sync, r.sender.stop = r.Acked, r.Sync, r.fail
	r.waits = newPatience(&r.Production, r.sent)
	if r.Recording.ExactlyOnce {
		return nil // an outlet per file
	}
	producer, err := r.Cluster.NewProducer(r.write)
	if err != nil {
		return err
	}
	r.sendTo(plainOutlet{producer, r.failed})
	return nil
}

// sendTo chooses where records go from now on.
func (r *rowRun) sendTo(out outlet) {
	if !r.Sync {
		r.ahead = sendAhead(out)
		out = r.ahead
	}
	r.out, r.sender.out, r.rejects.out = out, out, out
	r.waits.over(out)
}

// run does the work, then waits until everything sent is confirmed. The first context ends with the first failure, the second a while after the
// person's interruption, so that what was sent before is still confirmed.
func (r *rowRun) run(ctx context.Context, work func(reading, sending context.Context) error) error {
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sending, giveUp := outlasting(ctx)
	defer giveUp(nil)
	r.try(stop)
	defer r.waits.watch(func(err error) {
		stop(err)
		r.fail(err)
		giveUp(err)
	})()
	err := work(reading, sending)
	if reading.Err() != nil {
		err = context.Cause(reading)
	}
	if r.out != nil && !r.Recording.ExactlyOnce {
		if flushErr := r.out.settle(sending, nil); err == nil {
			err = flushErr
		}
	}
	return err
}

// each calls send for the numbers below n.
func (r *rowRun) each(n int, send func(reading, sending context.Context, i int) error) func(reading, sending context.Context) error {
	return func(reading, sending context.Context) error {
		if r.Recording.Name != "" && n > 1 {
			return fmt.Errorf("%d files: %w", n, ErrOneName)
		}
		for i := range n {
			if err := send(reading, sending, i); err != nil {
				return err
			}
		}
		return nil
	}
}

// sendRow sends what the row becomes, or files it.
func (r *rowRun) sendRow(ctx context.Context, s *stream, row *rowplan.Row) error {
	err := s.stage(*row, r.keep)
	if err == nil && len(r.made.Value)+len(r.made.Key) > r.limit {
		err = schemas.Reject("too-large", fmt.Sprintf("record of %d bytes is above the topic's max.message.bytes: raise that, or split the row", len(r.made.Value)))
	}
	if err == nil {
		r.sender.send(ctx, r.made)
		return nil
	}
	if why, ok := schemas.AsReject(err); ok {
		return r.reject(ctx, s, *row, why)
	}
	return err
}

// keep holds on to what the stage emits for a row.
func (r *rowRun) keep(made conform.Record) { r.made = made }

func (r *rowRun) reject(ctx context.Context, s *stream, row rowplan.Row, why *schemas.Rejection) error {
	r.rejects.filed++
	if err := r.tooMany(row.File); err != nil {
		return err
	}
	err := r.patiently(ctx, "the brokers", func() error { return r.rejects.prepare(ctx) })
	if err != nil {
		return err
	}
	return r.rejects.file(ctx, row, s.key(row), why)
}

// summary is what has come of the run; err is why it ended.
func (r *rowRun) summary(err error) RowSummary {
	p := r.Progress
	return RowSummary{
		Schema: r.schema, Rows: p.Rows.Load(), Acked: p.Acked.Load(), Rejects: p.Rejects.Load(), Bytes: p.Bytes.Load(),
		Blank: r.blank, Took: time.Since(r.began), Finished: err == nil, Earlier: r.earlier, Moved: r.moved,
	}
}

func (r *rowRun) close() {
	if r.out != nil {
		r.out.Close()
	}
}
