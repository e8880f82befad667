package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline/brokertest"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

func transacted(in, out string) *flow.CopyLink {
	return &flow.CopyLink{Name: "copy", Input: in, Stage: func(r *kafka.Record, emit func(*kafka.Record)) error {
		if strings.HasSuffix(string(r.Value), "-7") {
			return schemas.Reject("seven", "ends with 7")
		}
		emit(&kafka.Record{Topic: out, Key: r.Key, Value: r.Value})
		return nil
	}}
}

// once checks that every value of n is in the topic, and the sevens in the rejects, exactly once.
func once(t *testing.T, c *kafka.Cluster, topics [2]string, n int) {
	t.Helper()
	counts := map[string]int{}
	for _, topic := range []string{topics[1], flow.RejectsTopic(topics[0])} {
		for _, r := range read(t, c, topic) {
			counts[string(r.Value)]++
		}
	}
	for i := range n {
		if got := counts[fmt.Sprintf("value-%d", i)]; got != 1 {
			t.Errorf("value-%d is there %d times", i, got)
		}
	}
	if len(counts) != n {
		t.Errorf("%d values, want %d", len(counts), n)
	}
}

func TestCopyLinkCommitsRecordsRejectsAndOffsetsTogether(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, out := brokertest.Topic(t, c, 3), brokertest.Topic(t, c, 2)
	write(t, c, in, 3, 0, 300)
	r := start(t, c, transacted(in, out))
	awaitCommits(t, c, r, c.Name("copy"), in)
	s := r.o.Link("copy")
	if s.Counts.Done != 300 || s.Counts.Rejects != 1 || s.Counts.Emitted != 299 || s.Counts.Transactions == 0 {
		t.Errorf("%+v", s.Counts)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	once(t, c, [2]string{in, out}, 300)
}

// Members die in the middle of their work, again and again, while another stays and records keep coming.
func TestCopyLinkLosesAndDoublesNothingWhenMembersDie(t *testing.T) {
	cfg := brokertest.Config(t)
	c := connect(t, cfg)
	in, out := brokertest.Topic(t, c, 4), brokertest.Topic(t, c, 2)
	write(t, c, in, 4, 0, 400)
	stays := start(t, c, transacted(in, out))
	written := 400
	for range 5 {
		line := &cable{}
		dying := cfg
		dying.Dial = line.dial
		link, reached := transacted(in, out), make(chan struct{}, 1)
		stage := link.Stage
		link.Stage = func(r *kafka.Record, emit func(*kafka.Record)) error {
			select {
			case reached <- struct{}{}:
				line.pull() // dead to the world after the first record of a transaction
			default:
			}
			return stage(r, emit)
		}
		young := start(t, connect(t, dying), link)
		for taken := false; !taken; {
			write(t, c, in, 4, written, 40)
			written += 40
			select {
			case <-reached:
				taken = true
			case <-young.gone.Done():
				t.Fatal("a member ended")
			case <-within(t).Done():
				t.Fatal("no record came to a member")
			case <-time.After(20 * time.Millisecond): // joining takes a real broker a while: write at a measured pace
			}
		}
		young.stop()
	}
	awaitCommits(t, c, stays, c.Name("copy"), in)
	once(t, c, [2]string{in, out}, written)
}

func TestCopyLinkMakesRejectsOfRecordsThatGrowTooLarge(t *testing.T) {
	c := connect(t, brokertest.Config(t))
	in, out := brokertest.Topic(t, c, 1), brokertest.Topic(t, c, 1, "max.message.bytes", "2000")
	write(t, c, in, 1, 0, 10)
	link := transacted(in, out)
	stage := link.Stage
	link.Stage = func(r *kafka.Record, emit func(*kafka.Record)) error {
		return stage(r, func(made *kafka.Record) {
			if string(r.Value) == "value-3" {
				made.Value = make([]byte, 4000)
			}
			emit(made)
		})
	}
	r := start(t, c, link)
	awaitCommits(t, c, r, c.Name("copy"), in)
	once(t, c, [2]string{in, out}, 10)
}
