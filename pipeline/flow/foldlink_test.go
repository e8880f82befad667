package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// seen is the memory of one key in these tests: how many records the fold was given, counted so that a repeat shows.
type seen struct {
	Key   string `json:"key"`
	Count int    `json:"count"`
}

// counter is a fold that counts the records of each key (the number in front of the "/" of the record's key), writes the
// count to its output and one line per record to a log topic. It breaks the law that a fold hears repeats without harm:
// here a repeat must never come.
func counter(in, out, log string) *flow.FoldLink[seen, string, any] {
	return &flow.FoldLink[seen, string, any]{
		Name: "count", Input: in, Output: out,
		Decode: func(r *kafka.Record) (string, string, error) {
			n, err := strconv.Atoi(string(r.Key))
			if err != nil || n == 13 {
				return "", "", schemas.Reject("unlucky", "not a good number")
			}
			return strconv.Itoa(n % 7), string(r.Value), nil
		},
		Fold: func(s seen, in string, emit func(any)) (seen, error) {
			s.Count++
			s.Key = in
			emit(s)
			emit(in)
			return s, nil
		},
		Encode: func(v any) (*kafka.Record, error) {
			switch v := v.(type) {
			case seen:
				n, _ := strconv.Atoi(v.Key[len("value-"):])
				text, err := json.Marshal(v)
				return &kafka.Record{Key: []byte(strconv.Itoa(n % 7)), Value: text}, err
			default:
				return &kafka.Record{Topic: log, Key: []byte(fmt.Sprint(v)), Value: []byte(fmt.Sprint(v))}, nil
			}
		},
		Restore: func(r *kafka.Record) (string, func(seen) seen, error) {
			var s seen
			err := json.Unmarshal(r.Value, &s)
			return string(r.Key), func(seen) seen { return s }, err
		},
		EncodePosition: func(p schemas.Position) ([]byte, error) { return json.Marshal(p) },
		DecodePosition: func(b []byte) (p schemas.Position, err error) { err = json.Unmarshal(b, &p); return p, err },
	}
}

// folding is the topics of a counter test.
type folding struct{ in, out, log string }

func newFolding(t *testing.T, c *kafka.Cluster, partitions int32) folding {
	return folding{
		brokertest.Topic(t, c, partitions),
		brokertest.Topic(t, c, partitions, "cleanup.policy", "compact"),
		brokertest.Topic(t, c, 2),
	}
}

// check compares what a counter left with what it was given: n records written to partitions in turn.
func (f folding) check(t *testing.T, c *kafka.Cluster, partitions, n int) {
	t.Helper()
	lines := map[string]int{}
	for _, r := range read(t, c, f.log) {
		lines[string(r.Value)]++
	}
	counts := map[string]int{}
	for _, r := range read(t, c, f.out) {
		if s := (seen{}); json.Unmarshal(r.Value, &s) == nil && s.Count > 0 {
			counts[fmt.Sprintf("%d/%s", r.Partition, r.Key)] = s.Count
		}
	}
	want, rejects := map[string]int{}, 0
	for i := range n {
		if i == 13 {
			rejects++
			continue
		}
		if got := lines[fmt.Sprintf("value-%d", i)]; got != 1 {
			t.Errorf("record %d was emitted %d times", i, got)
		}
		want[fmt.Sprintf("%d/%d", i%partitions, i%7)]++
	}
	for key, count := range want {
		if counts[key] != count {
			t.Errorf("key %s was counted %d times, want %d", key, counts[key], count)
		}
	}
	if got := len(read(t, c, flow.RejectsTopic(f.in))); got != rejects {
		t.Errorf("%d rejects, want %d", got, rejects)
	}
}

func TestFoldLinkCountsExactlyOnceOverRestarts(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	f := newFolding(t, c, 3)
	for round := range 3 {
		r := start(t, c, counter(f.in, f.out, f.log))
		write(t, c, f.in, 3, round*200, 200)
		awaitCommits(t, c, r, c.Name("count"), f.in)
		if err := r.end(t); err != nil {
			t.Fatal(err)
		}
	}
	f.check(t, c, 3, 600)
}

// TestFoldLinkExactlyOnceUnderKills pulls the cable of a member in the middle of its work, again and again, and starts
// another. The pulled one does not know that it is dead; it is plugged in again later, and must change nothing.
func TestFoldLinkExactlyOnceUnderKills(t *testing.T) {
	cfg := brokertest.Config(t)
	c := connect(t, cfg)
	f := newFolding(t, c, 4)
	const rounds, each = 5, 400
	var cables []*cable
	for round := range rounds {
		line := &cable{}
		own := cfg
		own.Dial = line.dial
		r := start(t, connect(t, own), counter(f.in, f.out, f.log))
		write(t, c, f.in, 4, round*each, each)
		r.await(t, "some of it is done", func(s flow.LinkStatus) bool { return s.Counts.Transactions > 0 })
		line.pull()
		cables = append(cables, line)
	}
	for _, line := range cables[1:] {
		line.plug() // zombies wake up; the first stays dead
	}
	r := start(t, c, counter(f.in, f.out, f.log))
	awaitPositions(t, c, r, f)
	f.check(t, c, 4, rounds*each)
}

// awaitPositions waits until the positions in a counter's output have come to the end of its input.
func awaitPositions(t *testing.T, c *kafka.Cluster, r *running, f folding) {
	t.Helper()
	_, ends, err := c.Ends(within(t), f.in)
	if err != nil {
		t.Fatal(err)
	}
	for {
		at := map[int32]int64{}
		for _, rec := range read(t, c, f.out) {
			var p schemas.Position
			if string(rec.Key) == string(schemas.PositionKey("count")) && json.Unmarshal(rec.Value, &p) == nil {
				at[rec.Partition] = p.Next
			}
		}
		behind := false
		for p, end := range ends {
			behind = behind || at[int32(p)] < end
		}
		if !behind {
			return
		}
		before := r.o.Link("count").Counts.Transactions
		_ = r.o.Await(shortly(t), func(all []flow.LinkStatus) bool {
			return len(all) > 0 && all[0].Counts.Transactions > before
		})
		if within(t).Err() != nil {
			t.Fatal("positions do not come to the end")
		}
	}
}

func TestFoldLinkRefusals(t *testing.T) {
	cases := []struct {
		name   string
		breaks func(t *testing.T, c *kafka.Cluster, f folding)
		want   error
	}{
		{"input made again", func(t *testing.T, c *kafka.Cluster, f folding) {
			remake(t, c, f.in, 2, 10)
		}, flow.ErrOtherTopic},
		{"input with other partitions", func(t *testing.T, c *kafka.Cluster, f folding) {
			remake(t, c, f.in, 3, 10)
		}, kafka.ErrWrongTopic},
		{"other record before the position", func(t *testing.T, c *kafka.Cluster, f folding) {
			forge(t, c, f, func(p *schemas.Position) { p.CRC++ })
		}, flow.ErrPosition},
		{"no position and a trimmed input", func(t *testing.T, c *kafka.Cluster, f folding) {
			remake(t, c, f.out, 2, 0)
			for p := range int32(2) {
				if err := c.DeleteRecords(t.Context(), f.in, p, 3); err != nil {
					t.Fatal(err)
				}
			}
		}, flow.ErrRebuild},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := connect(t, brokertest.Config(t))
			f := newFolding(t, c, 2)
			r := start(t, c, counter(f.in, f.out, f.log))
			write(t, c, f.in, 2, 0, 10)
			awaitCommits(t, c, r, c.Name("count"), f.in)
			if err := r.end(t); err != nil {
				t.Fatal(err)
			}
			if err := c.DeleteGroup(t.Context(), c.Name("count")); err != nil {
				t.Fatal(err)
			}
			tc.breaks(t, c, f)
			before := len(read(t, c, f.log))
			if err := start(t, c, counter(f.in, f.out, f.log)).result(t); !errors.Is(err, tc.want) {
				t.Errorf("link ended with %v, want %v", err, tc.want)
			}
			if after := len(read(t, c, f.log)); after != before {
				t.Errorf("%d records emitted after the refusal", after-before)
			}
		})
	}
}

// remake deletes a topic and makes it again with records 0 to n-1.
func remake(t *testing.T, c *kafka.Cluster, topic string, partitions int32, n int) {
	t.Helper()
	info, err := c.Identify(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	again := kafka.Topic{Name: topic, Partitions: partitions, Configs: map[string]string{kafka.CleanupPolicy: info.Configs[kafka.CleanupPolicy]}}
	for {
		err := c.Create(within(t), again)
		if err == nil {
			break
		}
		if !kafka.IsExists(err) {
			t.Fatal(err)
		}
	}
	if err := c.Ensure(within(t), again); err != nil {
		t.Fatal(err)
	}
	write(t, c, topic, int(partitions), 0, n)
}

// forge changes the position records of a counter's output.
func forge(t *testing.T, c *kafka.Cluster, f folding, change func(*schemas.Position)) {
	t.Helper()
	p, err := c.NewProducer(kafka.ProducerConfig{Manual: []string{f.out}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, r := range read(t, c, f.out) {
		var at schemas.Position
		if string(r.Key) != string(schemas.PositionKey("count")) || json.Unmarshal(r.Value, &at) != nil {
			continue
		}
		change(&at)
		value, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(within(t), &kafka.Record{Topic: f.out, Partition: r.Partition, Key: r.Key, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
}

// shortly gives a context for one look at something that is looked at again.
func shortly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), glance)
	t.Cleanup(cancel)
	return ctx
}
