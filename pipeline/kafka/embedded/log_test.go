package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func with(name string, configs ...string) []Topic {
	t := Topic{Name: name, Partitions: 1, Configs: map[string]string{}}
	for i := 0; i < len(configs); i += 2 {
		t.Configs[configs[i]] = configs[i+1]
	}
	return []Topic{t}
}

func truncate(t *testing.T, b *Broker, topic string, before int64) int64 {
	t.Helper()
	var to kadm.Offsets
	to.AddOffset(topic, 0, before, -1)
	done, err := kadm.NewClient(dial(t, b)).DeleteRecords(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := done.Lookup(topic, 0)
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	return d.LowWatermark
}

func TestRetentionGoesOnAfterAStart(t *testing.T) {
	b := open(t, Options{Topics: with("t", "retention.bytes", "1000")})
	fill(t, b, "t", 20)
	if s, e := span(t, b, "t"); s != 0 || e != 20 {
		t.Fatalf("offsets [%d, %d), want [0, 20)", s, e)
	}
	shut(t, b)
	b = open(t, Options{Dir: b.opts.Dir, Tidy: 10 * time.Millisecond})
	if s, _ := span(t, b, "t"); s == 0 {
		t.Error("nothing was trimmed at start")
	}
	fill(t, b, "t", 20)
	until(t, "retention after a start", func() bool {
		start, end := span(t, b, "t")
		return start > 30 && end == 40
	})
}

func TestTopicsKeepTheirRecordsUnlessToldOtherwise(t *testing.T) {
	b := open(t, Options{Topics: one("t")})
	r := &kgo.Record{Topic: "t", Timestamp: time.Now().Add(-30 * 24 * time.Hour)}
	if err := dial(t, b).ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := b.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, e := span(t, b, "t"); s != 0 || e != 1 {
		t.Errorf("offsets [%d, %d), want [0, 1)", s, e)
	}
}

func TestTruncationLeavesTheLastRecord(t *testing.T) {
	for _, before := range []int64{-1, 5} {
		b := open(t, Options{Topics: one("t")})
		fill(t, b, "t", 5)
		if low := truncate(t, b, "t", before); low != 4 {
			t.Errorf("truncated to %d, want 4", low)
		}
		dead := crash(t, b)
		shut(t, b)
		for _, dir := range []string{b.opts.Dir, dead} {
			if _, e := span(t, open(t, Options{Dir: dir}), "t"); e != 5 {
				t.Errorf("end %d after a start, want 5", e)
			}
		}
	}
}

func TestEmptiedPartitionKeepsItsEnd(t *testing.T) {
	b := open(t, Options{Topics: with("t", "retention.ms", "0")})
	fill(t, b, "t", 5)
	var err error
	if alone := b.alone(t.Context(), func() { err = b.tidyAlone(nil) }); errors.Join(alone, err) != nil {
		t.Fatal(alone, err)
	}
	if s, e := span(t, b, "t"); s != 5 || e != 5 {
		t.Fatalf("offsets [%d, %d), want none before 5", s, e)
	}
	dead := crash(t, b)
	shut(t, b)
	for _, dir := range []string{b.opts.Dir, dead} {
		again := open(t, Options{Dir: dir})
		fill(t, again, "t", 1)
		cl := dial(t, again, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: kgo.NewOffset().AtStart()}}))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got := cl.PollFetches(ctx).Records()
		if len(got) != 1 || got[0].Offset != 5 {
			t.Errorf("read %v, want one record at 5", got)
		}
	}
}

// cutLast takes the last bytes of a partition's log, as a power loss does.
func cutLast(t *testing.T, dir, topic string) {
	t.Helper()
	path := filepath.Join(partitionDir(dir, topic, 0), "0"+segmentExt)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
}

func TestPowerLossIsSeenByTheWitness(t *testing.T) {
	for _, clean := range []bool{false, true} {
		b := open(t, Options{Topics: one("t")})
		fill(t, b, "t", 5)
		dir := b.opts.Dir
		if clean {
			shut(t, b)
		} else if err := b.tidy(t.Context()); err != nil {
			t.Fatal(err)
		} else {
			dir = crash(t, b)
		}
		cutLast(t, dir, "t")
		_, err := Start(t.Context(), Options{Dir: dir, Addr: "127.0.0.1:0"})
		oneLine(t, err, ErrCut, "t-0 ends at 4, the witnessed end is 5: a power loss took acked records; run `stripeline catalog rebuild`")
		if err := os.RemoveAll(partitionDir(dir, "t", 0)); err != nil {
			t.Fatal(err)
		}
		_, err = Start(t.Context(), Options{Dir: dir, Addr: "127.0.0.1:0"})
		oneLine(t, err, ErrCut, "t-0 ends at 0")
		b = open(t, Options{Dir: dir, AcceptLoss: true})
		shut(t, b)
		open(t, Options{Dir: dir})
	}
}

func TestPowerLossIsSeenByPositions(t *testing.T) {
	b := open(t, Options{Topics: one("t")})
	fill(t, b, "t", 5)
	adm := kadm.NewClient(dial(t, b))
	var at kadm.Offsets
	at.AddOffset("t", 0, 5, -1)
	if err := adm.CommitAllOffsets(t.Context(), "readers", at); err != nil {
		t.Fatal(err)
	}
	dir := crash(t, b)
	shut(t, open(t, Options{Dir: crash(t, b)}))
	cutLast(t, dir, "t")
	_, err := Start(t.Context(), Options{Dir: dir, Addr: "127.0.0.1:0"})
	oneLine(t, err, ErrCut, "t-0 ends at 4, the position of group readers is 5")
	b = open(t, Options{Dir: dir, AcceptLoss: true})
	left, err := kadm.NewClient(dial(t, b)).FetchOffsets(t.Context(), "readers")
	if err != nil || len(left.Offsets()) != 0 {
		t.Errorf("positions %v, %v: want none", left, err)
	}
}

func TestDeletedTopicIsNoLoss(t *testing.T) {
	b := open(t, Options{Topics: one("t")})
	fill(t, b, "t", 5)
	if err := b.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.cluster.DeleteTopic("t"), b.cluster.CreateTopic("t", 1, nil)); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: crash(t, b)})
}

// writer produces in transactions to partition 0.
func writer(t *testing.T, b *Broker) *kgo.Client { return dial(t, b, kgo.TransactionalID("w")) }

func write(t *testing.T, cl *kgo.Client, end kgo.TransactionEndTry, values ...string) {
	t.Helper()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Key: []byte(v[:1]), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

// read gives the committed values of partition 0 from an offset to the end.
func read(t *testing.T, b *Broker, from int64) []string {
	t.Helper()
	cl := dial(t, b, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: kgo.NewOffset().At(from)}}))
	_, end := span(t, b, "t")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out []string
	for at := from; at < end; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			at = r.Offset + 1
			if !r.Attrs.IsControl() {
				out = append(out, string(r.Value))
			}
		}
	}
	return out
}

func TestCompactionWaitsForTransactions(t *testing.T) {
	b := open(t, Options{Topics: with("t", "cleanup.policy", "compact"), CompactBytes: 1})
	cl := writer(t, b)
	write(t, cl, kgo.TryCommit, "a1", "b1", "c1")
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"a2", "b2", "c2", "d2"} {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Key: []byte(v[:1]), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cl.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(read(t, b, 0)); got != "[a1 b1 c1]" {
		t.Errorf("read %s, want what was committed", got)
	}
}

func TestCompactionKeepsTheLastOfEachKey(t *testing.T) {
	b := open(t, Options{Topics: with("t", "cleanup.policy", "compact"), CompactBytes: 1})
	cl := writer(t, b)
	write(t, cl, kgo.TryCommit, "a1", "b1", "a2")
	write(t, cl, kgo.TryCommit, "b2", "c1")
	if err := b.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if start, _ := span(t, b, "t"); start == 0 {
		t.Fatal("not compacted")
	}
	for _, from := range []int64{0, 1} {
		if got := fmt.Sprint(read(t, b, from)); got != "[a2 b2 c1]" {
			t.Errorf("read %s from %d, want the last of each key", got, from)
		}
	}
	before := b.compactedTo
	b.opts.CompactBytes = 1 << 20
	write(t, cl, kgo.TryCommit, "c2")
	if err := b.tidy(t.Context()); err != nil || b.compactedTo != before {
		t.Errorf("compacted again, %v, before it had grown", err)
	}
}

func TestCrashInCompactionLosesNothing(t *testing.T) {
	b := open(t, Options{Topics: append(with("t", "cleanup.policy", "compact"), one("other")...)})
	write(t, writer(t, b), kgo.TryCommit, "a1", "b1", "a2")
	topics, err := readTopics(b.opts.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := setAside(b.opts.Dir, topics); err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func(path string) error{
		"removed": os.Remove,
		"half":    func(p string) error { return os.Truncate(p, 100) },
		"whole":   func(string) error { return nil },
	} {
		dir := crash(t, b)
		if err := harm(filepath.Join(partitionDir(dir, "t", 0), "0"+segmentExt)); err != nil {
			t.Fatal(err)
		}
		again := open(t, Options{Dir: dir})
		if got := fmt.Sprint(read(t, again, 0)); got != "[a1 b1 a2]" {
			t.Errorf("%s: read %s", name, got)
		}
		if _, err := os.Stat(filepath.Join(dir, asideDir)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %s is still there, %v", name, asideDir, err)
		}
	}
	if err := b.compactAlone(t, topics); err != nil {
		t.Fatal(err)
	}
}

// compactAlone compacts now, and finds the links gone afterwards.
func (b *Broker) compactAlone(t *testing.T, topics []topicState) error {
	var err error
	if alone := b.alone(t.Context(), func() { err = b.compact(topics) }); alone != nil {
		return alone
	}
	if _, gone := os.Stat(filepath.Join(b.opts.Dir, asideDir)); !errors.Is(gone, os.ErrNotExist) {
		return fmt.Errorf("%s is still there: %v", asideDir, gone)
	}
	return err
}

func TestCompactionNeedsTheLinks(t *testing.T) {
	b := open(t, Options{Topics: with("t", "cleanup.policy", "compact"), CompactBytes: 1})
	write(t, writer(t, b), kgo.TryCommit, "a1", "a2", "a3")
	if err := os.Mkdir(filepath.Join(partitionDir(b.opts.Dir, "t", 0), "7"+segmentExt), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := b.tidy(t.Context()); err == nil {
		t.Error("compacted although a segment could not be set aside")
	}
	if start, _ := span(t, b, "t"); start != 0 {
		t.Errorf("the log starts at %d, want it untouched", start)
	}
}

func TestTidyBesideTraffic(t *testing.T) {
	topics := append(with("t", "cleanup.policy", "compact"), with("u", "retention.bytes", "5000")...)
	b := open(t, Options{Topics: topics, CompactBytes: 1000, Tidy: time.Millisecond})
	cl := writer(t, b)
	for i := range 50 {
		write(t, cl, kgo.TryCommit, fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i))
		fill(t, b, "u", 2)
	}
	if got := read(t, b, 0); len(got) < 2 || fmt.Sprint(got[len(got)-2:]) != "[a49 b49]" {
		t.Errorf("read %v, want it to end with a49 b49", got)
	}
}
