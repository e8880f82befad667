package pipeline

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"stripeline/consumers/durable"
	"stripeline/consumers/rowfile"
	"stripeline/pipeline/kafka"
)

// FileRoll says when a file is complete.
type FileRoll = rowfile.Roll

// WrittenFile is a complete file.
type WrittenFile = rowfile.File

// ErrOtherOwner says that a directory belongs to another group or topic.
var ErrOtherOwner = rowfile.ErrOtherOwner

// FileFormat reads the name of a format of files and checks that of a codec.
func FileFormat(name, codec string) (rowfile.Format, error) {
	format := rowfile.Format(name)
	return format, rowfile.CheckFormat(format, codec)
}

// ConsumeFiles is the journey of records to files of a directory, as a consumer group: each record is in exactly one complete file, whatever is
// killed. What is in complete files, and nothing else, is committed.
type ConsumeFiles struct {
	Cluster  *kafka.Cluster
	Registry Subjects
	Topic    string
	Group    string // "": <namespace>.files.<topic>
	Dir      string
	Format   rowfile.Format
	Codec    string
	Roll     FileRoll
	Print    PrintOptions // of JSON and CSV files
	Keys     KeyFormat    // how keys are shown in them with Print.Meta
	ToEnd    bool         // stop when everything is in files that was there at the start

	Wrote func(WrittenFile) // told of every complete file; may be nil; must not block
	Disk  *durable.Disk     // nil: the plain way
}

// FilesSummary is what a run came to.
type FilesSummary struct {
	Group   string        `json:"group"`
	Files   int64         `json:"files"`
	Records int64         `json:"records"`
	Bytes   int64         `json:"bytes"`
	Rejects int64         `json:"rejects"`
	Took    time.Duration `json:"took_ns"`
}

const (
	fileTick  = 100 * time.Millisecond // how often an idle run looks at the clock
	idleTicks = 5                      // with ToEnd: after so many without a record the files being written are completed
)

// Run writes files until ctx ends, or with ToEnd until everything is in files that was there at the start. Then what is being written is
// completed.
func (c *ConsumeFiles) Run(ctx context.Context) (FilesSummary, error) {
	began := time.Now()
	if c.Group == "" {
		c.Group = c.Cluster.Name("files." + c.Topic)
	}
	if c.Disk == nil {
		c.Disk = &durable.Disk{}
	}
	w := newFileRun(c)
	err := w.prepare(ctx)
	if err == nil {
		err = w.run(ctx)
	}
	w.summary.Took = time.Since(began)
	return w.summary, err
}

// prepare claims the directory.
func (w *fileRun) prepare(ctx context.Context) error {
	id, _, err := w.Cluster.Identity(ctx, w.Topic)
	if err != nil {
		return err
	}
	return rowfile.Claim(w.Disk, w.Dir, rowfile.Owner{Group: w.Group, Topic: w.Topic, ID: hex.EncodeToString(id[:])})
}

func (w *fileRun) run(ctx context.Context) error {
	group, err := w.Cluster.NewGroup(kafka.GroupConfig{Group: w.Group, Topic: w.Topic, Revoked: w.revoked, Lost: w.lost})
	if err != nil {
		return err
	}
	w.group = group
	defer w.rejects.close()
	running, stop := context.WithCancel(ctx)
	defer stop()
	waited := make(chan error, 1)
	if w.ToEnd {
		go func() {
			waited <- awaitCommits(running, w.Cluster, w.Group, w.Topic)
			stop()
		}()
	}
	for err == nil && running.Err() == nil {
		err = w.round(running)
	}
	stop()
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if closeErr := group.Close(leaving); err == nil && closeErr != nil {
		w.Cluster.Logger().Warn("group left late", "group", w.Group, "error", closeErr)
	}
	w.drop()
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case w.ToEnd:
		return <-waited
	}
	return nil
}

// round polls once, writes what came, completes what is due and commits.
func (w *fileRun) round(ctx context.Context) error {
	polling, cancel := context.WithTimeout(ctx, fileTick)
	batches, err := w.group.Poll(polling)
	cancel()
	defer w.group.Allow()
	switch {
	case ctx.Err() != nil:
		return nil
	case isLost(err):
		return lostGroup(w.Group, err)
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		w.Cluster.Logger().Warn("group is being mended", "group", w.Group, "error", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range batches {
		if b.Err != nil {
			return fmt.Errorf("group %s: %w", w.Group, b.Err)
		}
		w.take(ctx, b)
	}
	w.idle++
	if len(batches) > 0 {
		w.idle = 0
	}
	w.complete(ctx)
	return w.commit(ctx)
}
