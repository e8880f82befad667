package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"stripeline/consumers/durable"
)

// Broker is one Kafka broker in this process, its log below one directory.
type Broker struct {
	opts    Options
	lock    *durable.Lock
	gate    *gate
	cluster *kfake.Cluster
	own     *kgo.Client // through the gate's inner door
	stop    Stop

	floors      atomic.Pointer[floors]
	jobs        chan func() // at most one, run by runJob
	compactedTo int64       // bytes of compacted topics after the last compaction; used in jobs only

	cancel  context.CancelFunc // of tidyLoop and watchFullness
	tidied  chan struct{}      // closed when tidyLoop has returned
	watched chan struct{}      // closed when watchFullness has returned

	mu     sync.RWMutex // of closed
	closed bool
}

// Start opens the broker over Options.Dir and returns when clients can connect. ctx bounds the start alone. It fails with ErrDir, ErrLocked, ErrCut or a
// line about the address, and then has let go of everything.
func Start(ctx context.Context, o Options) (*Broker, error) {
	o = o.withDefaults()
	b := &Broker{opts: o, jobs: make(chan func(), 1), tidied: make(chan struct{}), watched: make(chan struct{})}
	if err := b.start(ctx); err != nil {
		b.abandon()
		return nil, fmt.Errorf("start embedded broker: %w", err)
	}
	run, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go b.tidyLoop(run)
	go b.watchFullness(run)
	return b, nil
}

func (b *Broker) start(ctx context.Context) error {
	var err error
	if b.lock, err = lockDir(b.opts.Dir); err != nil {
		return err
	}
	if b.gate, err = listen(b.opts); err != nil {
		return err
	}
	seen, err := b.load()
	if err != nil {
		return err
	}
	if b.own, err = kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.Dialer(b.gate.dial), kgo.DisableClientMetrics()); err != nil {
		return fmt.Errorf("connect to own broker: %w", err)
	}
	if err := b.check(ctx, seen); err != nil {
		return err
	}
	if err := b.endDangling(ctx); err != nil {
		return err
	}
	if err := b.guard(ctx); err != nil {
		return err
	}
	if err := b.createTopics(); err != nil {
		return err
	}
	if err := b.tidy(ctx); err != nil {
		return err
	}
	b.gate.open()
	return nil
}

// load mends what the last broker left half-done and reads the log. A load after a crash has had the whole log in memory, which is given back.
func (b *Broker) load() (witness, error) {
	if err := takeBack(b.opts.Dir); err != nil {
		return nil, err
	}
	seen, err := readWitness(b.opts.Dir)
	if err != nil {
		return nil, err
	}
	if err := refill(b.opts.Dir, seen); err != nil {
		return nil, err
	}
	if b.stop, err = lastStop(b.opts.Dir); err != nil {
		return nil, err
	}
	b.cluster, err = kfake.NewCluster(b.brokerOptions()...)
	if err != nil {
		return nil, fmt.Errorf("open log in %s: %w", b.opts.Dir, err)
	}
	debug.FreeOSMemory()
	return seen, nil
}

func (b *Broker) brokerOptions() []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.DataDir(b.opts.Dir),
		kfake.ClusterID("stripeline-embedded"),
		kfake.DefaultNumPartitions(defaultPartitions),
		kfake.ListenFn(b.gate.listener),
		kfake.MaxVersions(spoken()),
		kfake.WithLogger(brokerLog{b.opts.Logger}),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":                    strconv.Itoa(b.opts.MessageBytes),
			"log.segment.bytes":                    strconv.Itoa(b.opts.SegmentBytes),
			"log.retention.ms":                     "-1", // only a topic that says so loses records
			"log.cleaner.backoff.ms":               never,
			"group.consumer.heartbeat.interval.ms": "200",
			"offsets.retention.minutes":            tenYears, // a machine that was off for a week keeps its positions
		}),
	}
	if b.opts.SyncWrites {
		opts = append(opts, kfake.SyncWrites())
	}
	return opts
}

// tenYears is about that, in minutes.
const tenYears = "5256000"

// never is about a century in milliseconds: the broker's own ticker would compact under open transactions.
const never = "3155760000000"

func (b *Broker) check(ctx context.Context, seen witness) error {
	if b.stop == StopNone {
		return nil
	}
	cuts, err := cutEnds(b.cluster, b.opts.Dir, seen)
	if err != nil {
		return err
	}
	adm := kadm.NewClient(b.own)
	if b.stop == StopCrash {
		positions, err := cutPositions(ctx, adm, b.cluster)
		if err != nil {
			return err
		}
		cuts = append(cuts, positions...)
	}
	if len(cuts) == 0 {
		return nil
	}
	if !b.opts.AcceptLoss {
		return cutError(cuts)
	}
	for _, c := range cuts {
		b.opts.Logger.Warn("loss accepted", "cut", c.String())
	}
	return forget(ctx, adm, cuts)
}

func (b *Broker) guard(ctx context.Context) error {
	all, err := askVersions(ctx, b.own)
	if err != nil {
		return err
	}
	topics, err := readTopics(b.opts.Dir)
	if err != nil {
		return err
	}
	b.floors.Store(lowest(b.cluster, topics))
	control(b.cluster, kmsg.ApiVersions, answerVersions(all))
	control(b.cluster, kmsg.CreateTopics, answerCreate(b.cluster))
	control(b.cluster, kmsg.DeleteRecords, keepLast(b.cluster))
	control(b.cluster, kmsg.OffsetForLeaderEpoch, answerEpochs(b.cluster))
	control(b.cluster, kmsg.Produce, (&space{dir: b.opts.Dir, keep: b.opts.KeepFree, log: b.opts.Logger}).answerProduce)
	control(b.cluster, kmsg.Fetch, shareFetch(raiseFetch(&b.floors)))
	control(b.cluster, kmsg.DescribeCluster, b.runJob)
	return nil
}

func (b *Broker) createTopics() error {
	for _, t := range b.opts.Topics {
		if b.cluster.TopicInfo(t.Name) != nil {
			continue
		}
		if err := b.cluster.CreateTopic(t.Name, t.Partitions, t.Configs); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// Addr is the host:port that clients connect to.
func (b *Broker) Addr() string { return b.gate.Addr().String() }

// LastStop says how the broker before this one ended. After StopCrash this one has read its whole log into memory once.
func (b *Broker) LastStop() Stop { return b.stop }

// Close witnesses the ends, writes the broker's snapshot and frees the directory. Call it last, after every client: without it the next start reads the
// whole log, and idempotent producers lose their windows. A second call does nothing.
func (b *Broker) Close() error {
	b.cancel()
	<-b.watched
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	<-b.tidied
	seen, err := observe(b.cluster, b.opts.Dir)
	if err == nil {
		err = seen.write(b.opts.Dir)
	}
	b.own.Close()
	b.cluster.Close()
	if err == nil {
		err = replaceFile(filepath.Join(b.opts.Dir, cleanFile), nil)
	}
	if free := b.lock.Release(); err == nil {
		err = free
	}
	if err != nil {
		return fmt.Errorf("close embedded broker: %w", err)
	}
	return nil
}

// abandon lets go of what a failed start holds, and leaves no mark of a clean end.
func (b *Broker) abandon() {
	if b.own != nil {
		b.own.Close()
	}
	if b.cluster != nil {
		b.cluster.Close()
	}
	if b.gate != nil {
		b.gate.Close()
	}
	if b.lock != nil {
		b.lock.Release()
	}
}

// brokerLog gives the broker's words to a logger.
type brokerLog struct{ log *slog.Logger }

// Logf logs one line.
func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	at := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		at = slog.LevelError
	case kfake.LogLevelWarn:
		at = slog.LevelWarn
	}
	if l.log.Enabled(context.Background(), at) {
		l.log.Log(context.Background(), at, fmt.Sprintf(format, args...))
	}
}
