package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"stripeline/pipeline/kafka"
	"stripeline/schemas/client"
	"stripeline/schemas/progress"
)

// progressPartitions is how many partitions the progress topic is made with.
const progressPartitions = 6

// RunLog is what is known of all runs of rows: the compacted topic <namespace>.progress.
type RunLog struct {
	cluster *kafka.Cluster
	topic   string
	codec   *progress.Codec
}

// Registrar registers the schema of an internal topic and gives its id.
type Registrar interface {
	Register(ctx context.Context, subject string, s client.Schema) (int, error)
}

// OpenRunLog makes the progress topic if there is none and registers its schema.
func OpenRunLog(ctx context.Context, cluster *kafka.Cluster, registry Registrar) (*RunLog, error) {
	topic := cluster.Name(progress.Topic)
	err := cluster.Ensure(ctx, kafka.Topic{Name: topic, Partitions: progressPartitions, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
	if err != nil {
		return nil, fmt.Errorf("open progress: %w", err)
	}
	id, err := registry.Register(ctx, topic+"-value", client.Schema{Text: progress.SchemaText()})
	if err != nil {
		return nil, fmt.Errorf("register schema of %s: %w", topic, err)
	}
	return &RunLog{cluster: cluster, topic: topic, codec: progress.NewCodec(uint32(id))}, nil
}

// ReadRuns gives what is known of all runs, as List does, and none where nothing was ever recorded. It makes and registers nothing.
func ReadRuns(ctx context.Context, cluster *kafka.Cluster) ([]progress.Run, error) {
	l := &RunLog{cluster: cluster, topic: cluster.Name(progress.Topic), codec: progress.NewCodec(0)}
	if _, _, err := cluster.Identity(ctx, l.topic); errors.Is(err, kafka.ErrUnknownTopic) {
		return nil, nil
	}
	ends, err := cluster.StableEnds(ctx, l.topic)
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	known, err := l.readTo(ctx, ends)
	return inOrder(known), err
}

// List gives all runs, those of one topic together, the one that was last heard of first.
func (l *RunLog) List(ctx context.Context) ([]progress.Run, error) {
	known, err := l.read(ctx)
	return inOrder(known), err
}

func inOrder(known map[string]progress.Run) []progress.Run {
	return slices.SortedFunc(maps.Values(known), func(a, b progress.Run) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(b.Time, a.Time), cmp.Compare(a.Key(), b.Key()))
	})
}

// How often, and for how long, it is tried to read a topic that may have been made just now.
const (
	readAgain = 100 * time.Millisecond
	readTries = 100
)

// read gives the last committed record of each run by its key. It waits for transactions that are under way.
func (l *RunLog) read(ctx context.Context) (map[string]progress.Run, error) {
	for try := 1; ; try++ {
		ends, err := l.cluster.HighEnds(ctx, l.topic)
		if err == nil {
			var known map[string]progress.Run
			if known, err = l.readTo(ctx, ends); err == nil {
				return known, nil
			}
		}
		if try == readTries || !kafka.IsPassing(err) {
			return nil, fmt.Errorf("read progress: %w", err)
		}
		select {
		case <-time.After(readAgain):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *RunLog) readTo(ctx context.Context, ends []int64) (map[string]progress.Run, error) {
	from, err := fromStart(ctx, l.cluster, l.topic)
	if err != nil {
		return nil, err
	}
	reader, err := l.cluster.NewReader(kafka.ReaderConfig{Name: "progress", Topic: l.topic, Offsets: from})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	known := map[string]progress.Run{}
	for !reached(reader, from, ends) {
		records, err := reader.Poll(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			l.see(known, r)
		}
	}
	return known, nil
}

func (l *RunLog) see(known map[string]progress.Run, r *kafka.Record) {
	if progress.OfTransform(r.Key) {
		return
	}
	if r.Value == nil {
		delete(known, string(r.Key))
		return
	}
	run, err := l.codec.Decode(r.Value)
	if err != nil {
		l.cluster.Logger().Warn("unreadable progress record", "partition", r.Partition, "offset", r.Offset, "error", err)
		return
	}
	known[string(r.Key)] = run
}

// find gives the run that a text belongs to: the one with its key, else the one whose text was the beginning of this one.
func (l *RunLog) find(ctx context.Context, begun progress.Run, head []byte) (progress.Run, bool, error) {
	known, err := l.read(ctx)
	if err != nil {
		return begun, false, err
	}
	if run, ok := known[begun.Key()]; ok {
		return run, true, nil
	}
	best, found := begun, false
	for _, run := range known {
		if run.Topic == begun.Topic && run.Subject == begun.Subject && run.Began(head) && (!found || run.HeadLength > best.HeadLength) {
			best, found = run, true
		}
	}
	return best, found, nil
}

// record makes the record of a run as it is now.
func (l *RunLog) record(run *progress.Run) (*kafka.Record, error) {
	run.Time = time.Now().UnixMilli()
	value, err := l.codec.Append(nil, run)
	return &kafka.Record{Topic: l.topic, Key: []byte(run.Key()), Value: value}, err
}
