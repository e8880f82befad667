package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/client"
	"stripeline/schemas/progress"
)

// TransformLog is where transforms say how they are doing: the progress topic, under keys of their own.
type TransformLog struct {
	cluster *kafka.Cluster
	topic   string
	codec   *progress.TransformCodec
}

// OpenTransformLog makes the progress topic if there is none and registers the schema of a transform's record.
func OpenTransformLog(ctx context.Context, cluster *kafka.Cluster, registry Registrar) (*TransformLog, error) {
	topic := cluster.Name(progress.Topic)
	err := cluster.Ensure(ctx, kafka.Topic{Name: topic, Partitions: progressPartitions, Configs: map[string]string{kafka.CleanupPolicy: "compact"}})
	if err != nil {
		return nil, fmt.Errorf("open progress: %w", err)
	}
	subject := progress.TransformSubject(topic)
	id, err := registry.Register(ctx, subject, client.Schema{Text: progress.TransformText()})
	if err != nil {
		return nil, fmt.Errorf("register subject %s: %w", subject, err)
	}
	return &TransformLog{cluster, topic, progress.NewTransformCodec(uint32(id))}, nil
}

// transformBeat is how often a running transform says that it runs.
const transformBeat = 30 * time.Second

// transformRecord says how one transform is doing. Nothing waits for its records, and nothing fails with them; nil says nothing.
type transformRecord struct {
	log      *TransformLog
	producer *kafka.Producer
	beats    sync.WaitGroup

	mu     sync.Mutex
	now    progress.Transform
	unsaid sync.Once // tells once that a record was not written
}

// begin says that a transform runs by a plan, and again from time to time until ctx ends.
func (l *TransformLog) begin(ctx context.Context, t *Transform, plan *TransformPlan) *transformRecord {
	if l == nil {
		return nil
	}
	producer, err := l.cluster.NewProducer(kafka.ProducerConfig{Name: "transform-progress"})
	if err != nil {
		l.cluster.Logger().Warn("status will not know of this transform", "group", t.Group, "error", err)
		return nil
	}
	r := &transformRecord{log: l, producer: producer, now: progress.Transform{
		Group: t.Group, From: t.From, To: t.To, Mapping: t.MapName, FromSubject: t.FromPin.Subject, ToSubject: t.ToPin.Subject,
		ExactlyOnce: t.ExactlyOnce, State: progress.Running, Started: time.Now().UnixMilli(),
	}}
	r.checked(plan, nil)
	r.beats.Go(func() { r.beat(ctx) })
	return r
}

func (r *transformRecord) beat(ctx context.Context) {
	ticker := time.NewTicker(transformBeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.write()
		}
	}
}

// checked says what a check against the latest versions came to: another plan, or why the old one goes on.
func (r *transformRecord) checked(plan *TransformPlan, err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	r.now.Unfit = ""
	if err != nil {
		r.now.Unfit = err.Error()
	} else {
		r.now.FromVersion, r.now.ToVersion = int32(plan.In.Version), int32(plan.Out.Version)
	}
	r.mu.Unlock()
	r.write()
}

// end says how the transform ended, when the context of begin has ended.
func (r *transformRecord) end(ctx context.Context, err error) {
	if r == nil {
		return
	}
	r.beats.Wait()
	r.mu.Lock()
	r.now.State = progress.Finished
	if err != nil {
		r.now.State, r.now.Reason = progress.Stopped, err.Error()
	}
	if errors.Is(err, context.Canceled) {
		r.now.Reason = interrupted
	}
	r.mu.Unlock()
	r.write()
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	_ = r.producer.Flush(leaving)
	r.producer.Close()
}

// write sends the record as it is now.
func (r *transformRecord) write() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Time = time.Now().UnixMilli()
	value, err := r.log.codec.Append(nil, &r.now)
	if err != nil {
		r.wrote(nil, err)
		return
	}
	r.producer.Produce(context.Background(), &kafka.Record{Topic: r.log.topic, Key: []byte(r.now.Key()), Value: value}, r.wrote)
}

func (r *transformRecord) wrote(_ *kafka.Record, err error) {
	if err == nil {
		return
	}
	r.unsaid.Do(func() {
		r.log.cluster.Logger().Warn("status does not know how this transform is doing", "topic", r.log.topic, "error", err)
	})
}

// TransformStatus is how a transform is doing: what it said last, and what the brokers know of its group and its input.
type TransformStatus struct {
	progress.Transform
	GroupState string `json:"group_state"`       // as the broker calls it
	Members    int    `json:"members"`           // 0: nothing runs, whatever State says
	Lag        int64  `json:"lag"`               // records of the input that are not done
	Rejects    int64  `json:"rejects"`           // records on <from>.rejects
	Trouble    string `json:"trouble,omitempty"` // why the brokers do not say
}

// ReadTransforms gives how all transforms are doing that ever said so, in the order of their topics; none where nothing was ever said.
func ReadTransforms(ctx context.Context, cluster *kafka.Cluster) ([]TransformStatus, error) {
	topic, codec := cluster.Name(progress.Topic), progress.NewTransformCodec(0)
	if _, _, err := cluster.Identity(ctx, topic); errors.Is(err, kafka.ErrUnknownTopic) {
		return nil, nil
	}
	known := map[string]progress.Transform{}
	err := (&Consume{Cluster: cluster, Topic: topic}).each(ctx, func(r *kafka.Record) error {
		if !progress.OfTransform(r.Key) {
			return nil
		}
		t, err := codec.Decode(r.Value)
		switch {
		case len(r.Value) == 0:
			delete(known, string(r.Key))
		case err != nil:
			cluster.Logger().Warn("unreadable progress record", "partition", r.Partition, "offset", r.Offset, "error", err)
		default:
			known[string(r.Key)] = t
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	var all []TransformStatus
	for _, t := range slices.SortedFunc(maps.Values(known), func(a, b progress.Transform) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Group, b.Group))
	}) {
		status := TransformStatus{Transform: t}
		if err := status.ask(ctx, cluster); ctx.Err() != nil {
			return all, ctx.Err()
		} else if err != nil {
			status.Trouble = err.Error()
		}
		all = append(all, status)
	}
	return all, nil
}

// ask asks the brokers.
func (s *TransformStatus) ask(ctx context.Context, cluster *kafka.Cluster) error {
	lag, err := cluster.Lag(ctx, s.Group)
	if err != nil {
		return err
	}
	s.GroupState, s.Members, s.Lag = lag.State, lag.Members, lag.Total()
	if s.Lag > 0 {
		done, err := caughtUp(ctx, cluster, s.Transform)
		if err != nil {
			return err
		}
		if done {
			s.Lag = 0
		}
	}
	s.Rejects, err = recordsOf(ctx, cluster, flow.RejectsTopic(s.From))
	return err
}

// caughtUp says whether nothing but markers of transactions lies behind a transform's commits.
func caughtUp(ctx context.Context, cluster *kafka.Cluster, t progress.Transform) (bool, error) {
	starts, ends, err := cluster.Ends(ctx, t.From)
	if err != nil {
		return false, err
	}
	committed, err := cluster.Committed(ctx, t.Group, t.From)
	if err != nil {
		return false, err
	}
	return onlyMarkers(ctx, cluster, t.From, uncommitted(starts, ends, committed))
}

// recordsOf gives how many records a topic holds, 0 where there is no such topic.
func recordsOf(ctx context.Context, cluster *kafka.Cluster, topic string) (n int64, err error) {
	starts, ends, err := cluster.Ends(ctx, topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return 0, nil
	}
	for p := range ends {
		n += ends[p] - starts[p]
	}
	return n, err
}
