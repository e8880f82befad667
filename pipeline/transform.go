package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/processors/mapping"
	"stripeline/schemas"
	"stripeline/schemas/rowshape"
)

// Findings are what is wrong with a mapping file.
type Findings = mapping.Findings

// Transform is the journey of records of one topic and schema to another topic and schema, by a mapping file, as a consumer group.
type Transform struct {
	Cluster  *kafka.Cluster
	Registry Subjects
	From, To string // topics
	FromPin  Pin    // the zero Pin is the latest version of <topic>-value
	ToPin    Pin
	MapName  string // the mapping file's name, for messages
	MapText  []byte
	Group    string // "": <namespace>.transform.<from>.<to>
	ToEnd    bool   // stop when everything is done that was there at the start

	ExactlyOnce bool // by transactions: the outcome is committed with what was read, or comes again
	Compression string
	Observer    *flow.Observer // may be nil

	Timeout time.Duration // how long it may stand still because brokers or registry are away; 0: for ever

	Checked func(*TransformPlan) // told of the plan before the first record; may be nil

	Log *TransformLog // told how it is doing, for status; may be nil

	Recheck   time.Duration // how often the latest versions are asked for; 30 s when 0
	Rechecked func(error)   // told when they have changed: nil when the mapping fits them, else why the old plan goes on; may be nil
}

// TransformPlan is a mapping that has been checked against the schemas of the registry.
type TransformPlan struct {
	In, Out   RowSchema
	mapping   *mapping.Plan
	header    []byte
	resolvers *resolvers
	tables    []*lookupTable
	benches   sync.Pool
}

// LintMapping checks what can be checked of a mapping file without schemas.
func LintMapping(name string, text []byte) error {
	_, err := mapping.Parse(name, text)
	return err
}

// CheckMapping checks a mapping file against schema texts alone, without a registry.
func CheckMapping(name string, text []byte, in, out RowSchema) (*TransformPlan, error) {
	file, err := mapping.Parse(name, text)
	if err != nil {
		return nil, err
	}
	return checkMapping(file, in, out)
}

func checkMapping(file *mapping.File, in, out RowSchema) (*TransformPlan, error) {
	from, err := rowshape.Parse(in.Text)
	if err != nil {
		return nil, fmt.Errorf("input schema %s: %w", in.Subject, err)
	}
	to, err := rowshape.Parse(out.Text)
	if err != nil {
		return nil, fmt.Errorf("output schema %s: %w", out.Subject, err)
	}
	plan, err := mapping.Compile(file, from, to)
	if err != nil {
		return nil, err
	}
	checked := &TransformPlan{In: in, Out: out, mapping: plan, header: binary.BigEndian.AppendUint32([]byte{0}, uint32(out.ID))}
	checked.benches.New = func() any { return &bench{} }
	return checked, nil
}

// Check looks up both schemas and checks the mapping file against them.
func (t *Transform) Check(ctx context.Context) (*TransformPlan, error) {
	if t.FromPin.Subject == "" {
		t.FromPin.Subject = ValueSubject(t.From)
	}
	if t.ToPin.Subject == "" {
		t.ToPin.Subject = ValueSubject(t.To)
	}
	in, err := t.FromPin.find(ctx, t.Registry)
	if err != nil {
		return nil, err
	}
	out, err := t.ToPin.find(ctx, t.Registry)
	if err != nil {
		return nil, err
	}
	file, err := mapping.Parse(t.MapName, t.MapText)
	if err != nil {
		return nil, err
	}
	tables, err := t.bindLookups(ctx, file)
	if err != nil {
		return nil, err
	}
	plan, err := checkMapping(file, in, out)
	if err != nil {
		return nil, err
	}
	plan.tables = tables
	plan.resolvers = &resolvers{ctx: ctx, registry: t.Registry, reader: in, byID: map[int]func([]byte) ([]byte, error){}}
	return plan, nil
}

// TransformSummary is what a run came to.
type TransformSummary struct {
	Group   string
	Records int64 // done
	Emitted int64
	Rejects int64
	Took    time.Duration
}

// Run maps records until ctx ends, or with ToEnd until everything is done that was there at the start.
func (t *Transform) Run(ctx context.Context) (TransformSummary, error) {
	began := time.Now()
	if t.Group == "" {
		t.Group = t.Cluster.Name("transform." + t.From + "." + t.To)
	}
	summary := TransformSummary{Group: t.Group}
	plan, err := t.ready(ctx)
	if err != nil {
		return summary, err
	}
	if t.Checked != nil {
		t.Checked(plan)
	}
	live := newLivePlan(ctx, plan)
	defer live.close()
	if t.Observer == nil {
		t.Observer = flow.NewObserver()
	}
	name := "transform." + t.From + "." + t.To
	before := t.Observer.Link(name).Counts
	running, stop := context.WithCancel(ctx)
	defer stop()
	var checking sync.WaitGroup
	live.record = t.Log.begin(running, t, plan)
	checking.Go(func() { t.recheck(running, live) })
	waited := make(chan error, 1)
	if t.ToEnd {
		go func() {
			waited <- awaitCommits(running, t.Cluster, t.Group, t.From)
			stop()
		}()
	}
	err = t.bounded(running, stop, t.link(live))
	if errors.Is(err, context.Canceled) && running.Err() != nil {
		err = nil // told to stop while it was starting
	}
	stop()
	checking.Wait()
	counts := t.Observer.Link(name).Counts
	summary.Records, summary.Emitted, summary.Rejects = counts.Done-before.Done, counts.Emitted-before.Emitted, counts.Rejects-before.Rejects
	summary.Took = time.Since(began)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil && t.ToEnd {
		err = <-waited
	}
	live.record.end(ctx, err)
	return summary, err
}

// transformBudget is what the records of a transform may weigh: with what the client has fetched meanwhile and the limit that the command sets its heap,
// the process stays below 128 MiB (BenchmarkTransformMemory). Less would pause partitions all the time, which costs fetches.
const transformBudget = 56 << 20

// link gives the link that runs a plan.
func (t *Transform) link(live *livePlan) interface {
	Run(context.Context, *kafka.Cluster, *flow.Observer) error
} {
	name := "transform." + t.From + "." + t.To
	stage := flow.Stage[*kafka.Record, *kafka.Record](live.stage(t.To))
	limits := flow.Limits{Budget: transformBudget}
	if t.ToEnd {
		limits.Commit = 2 * commitPoll
	}
	if t.ExactlyOnce {
		return &flow.CopyLink{Name: name, Group: t.Group, Input: t.From, Compression: t.Compression, Stage: stage, Limits: limits}
	}
	return &flow.StageLink{Name: name, Group: t.Group, Input: t.From, Compression: t.Compression, Stage: stage, Limits: limits}
}

// ready checks the mapping and both topics.
func (t *Transform) ready(ctx context.Context) (*TransformPlan, error) {
	if t.From == t.To {
		return nil, fmt.Errorf("input and output are both %s: name two topics", t.From)
	}
	if err := LintMapping(t.MapName, t.MapText); err != nil {
		return nil, err
	}
	for _, topic := range []string{t.From, t.To} {
		_, _, err := t.Cluster.Identity(ctx, topic)
		if errors.Is(err, kafka.ErrUnknownTopic) {
			return nil, fmt.Errorf("%w %s: create it with 'stripeline topic create %s'", kafka.ErrUnknownTopic, topic, topic)
		}
		if err != nil {
			return nil, err
		}
	}
	plan, err := t.Check(ctx)
	if err != nil {
		return nil, err
	}
	return plan, plan.load(ctx, t.Cluster)
}

// stage maps one record. Its timestamp and headers stay.
func (p *TransformPlan) stage(in *kafka.Record, to string, emit func(*kafka.Record)) error {
	id, payload, ok := framed(in.Value)
	if !ok {
		return schemas.Reject("framing", fmt.Sprintf("value of %d bytes has no five-byte registry header", len(in.Value)))
	}
	if id != p.In.ID {
		var err error
		if payload, err = p.resolvers.resolve(id, payload); err != nil {
			return err
		}
	}
	b := p.benches.Get().(*bench)
	defer p.benches.Put(b)
	value, key, keep, err := p.mapping.Append(append(b.build[:0], p.header...), mapping.Row{Key: in.Key, Payload: payload})
	if b.build = value; err != nil || !keep {
		return err
	}
	out := b.record()
	out.Topic, out.Key, out.Value, out.Headers, out.Timestamp = to, key, b.keep(value), in.Headers, in.Timestamp
	emit(out)
	return nil
}
