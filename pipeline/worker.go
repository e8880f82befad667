package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"stripeline/consumers/blockstore"
	"stripeline/consumers/catalog"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/processors/erasure"
	"stripeline/schemas"
)

// WorkerOptions say what a worker works with.
type WorkerOptions struct {
	Node        string                 // the name of this machine
	Directories []blockstore.Directory // its targets
	Observer    *flow.Observer         // sees its links; may be nil
}

// Worker runs the links of the write plan as a member of their groups, and owns storage targets.
type Worker struct {
	site     *Site
	store    *blockstore.Store
	coder    *erasure.Coder
	observer *flow.Observer
	producer *kafka.Producer
	blocks   *catalog.Blocks
	view     *view
	watch    *caretaker

	partitions int32           // of the packets topic
	life       context.Context // ends lookupPatience after Run's has
	end        context.CancelFunc
	running    atomic.Bool
	mu         sync.Mutex
	announced  bool
	states     map[schemas.TargetID]schemas.TargetState // as last announced
}

// OpenWorker takes the targets, each with its lock, announces them, and begins to follow the blocks. The caller runs and
// closes it.
func (s *Site) OpenWorker(ctx context.Context, o WorkerOptions) (*Worker, error) {
	info, err := s.Cluster.Identify(ctx, s.Cluster.Name(schemas.TopicPackets))
	if err != nil {
		return nil, err
	}
	w := &Worker{site: s, coder: erasure.New(), observer: o.Observer, blocks: catalog.NewBlocks(), partitions: int32(info.Partitions),
		states: map[schemas.TargetID]schemas.TargetState{}}
	w.life, w.end = context.WithCancel(context.WithoutCancel(ctx))
	w.watch = newCaretaker(w)
	if w.producer, err = s.Cluster.NewProducer(kafka.ProducerConfig{Name: "worker"}); err != nil {
		return nil, err
	}
	topic := s.Cluster.Name(schemas.TopicBlocks)
	from, err := fromStart(ctx, s.Cluster, topic)
	if err == nil {
		w.view, err = openView(s.Cluster, topic, from, w.seeBlock)
	}
	if err != nil {
		w.producer.Close()
		return nil, err
	}
	w.store, err = blockstore.Open(ctx, blockstore.Options{Directories: o.Directories, Node: o.Node, Acked: w.acked})
	if err != nil {
		w.view.Close()
		w.producer.Close()
		return nil, err
	}
	if err := w.announce(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("announce targets: %w", err), w.Close())
	}
	return w, nil
}

// seeBlock takes one record of the blocks topic into the view.
func (w *Worker) seeBlock(r *kafka.Record) error {
	record, err := blockRecord(w.site.Codecs, r)
	if err != nil {
		w.site.Log.Warn("unreadable block record", "partition", r.Partition, "offset", r.Offset, "error", err)
		return nil
	}
	w.blocks.Put(r.Key, record)
	if record != nil && record.Block != nil {
		w.watch.see(record.Block)
	}
	return nil
}

// lookupPatience is how long the drain waits for what is on record of a block.
const lookupPatience = 3 * time.Second

// acked says what the seal knows of a block, at least up to what it knew when it was asked.
func (w *Worker) acked(id schemas.BlockID) (schemas.Block, bool) {
	if err := w.view.CatchUp(w.life); err != nil {
		return schemas.Block{}, false
	}
	return w.blocks.Lookup(id)
}

// Run runs the links until ctx ends, then drains them. The error is one that running again cannot mend.
func (w *Worker) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lookupPatience, w.end) })()
	run := func(name string, link interface {
		Run(context.Context, *kafka.Cluster, *flow.Observer) error
	}) {
		group.Go(func() error {
			if err := link.Run(ctx, w.site.Cluster, w.observer); err != nil && ctx.Err() == nil {
				return fmt.Errorf("link %s: %w", name, err)
			}
			return nil
		})
	}
	run(LinkStore, w.storeLink())
	run(LinkSeal, w.sealLink())
	run(LinkNamespace, w.namespaceLink())
	group.Go(func() error { return w.heartbeat(ctx) })
	group.Go(func() error { return w.watch.run(ctx) })
	group.Go(func() error { return w.view.Watch(ctx) })
	group.Go(func() error { return w.announceShards(ctx) })
	w.running.Store(true)
	defer w.running.Store(false)
	return group.Wait()
}

// Ready gives nil once this worker's targets are announced and its links run.
func (w *Worker) Ready() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.running.Load():
		return errors.New("the links are not started")
	case !w.announced:
		return errors.New("the targets are not announced yet")
	}
	for _, link := range w.observer.Links() {
		stopped := slices.IndexFunc(link.Partitions, func(p flow.PartitionStatus) bool { return p.State == flow.StateStopped })
		if stopped >= 0 {
			p := link.Partitions[stopped]
			return fmt.Errorf("link %s partition %d is stopped: %s", link.Name, p.Partition, p.Error)
		}
	}
	return nil
}

// Targets gives this worker's targets as they are now.
func (w *Worker) Targets() []schemas.Target { return w.store.Targets() }

// Domains counts the failure domains of this worker's targets: a block of a policy with more cells waits while its partition is this worker's.
func (w *Worker) Domains() int {
	domains := map[string]bool{}
	for _, t := range w.Targets() {
		domains[t.Domain] = true
	}
	return len(domains)
}

// Close gives the targets back. Call it after Run has returned.
func (w *Worker) Close() error {
	w.end()
	err := w.store.Close()
	w.view.Close()
	w.producer.Close()
	return err
}
