package flow

import (
	"context"
	"errors"
	"fmt"

	"stripeline/pipeline/kafka"
)

// ErrOtherTopic says that the input is not the topic that the link has been running on: it was deleted and made again, or
// its partitions were added to. Where a record lies has another meaning there.
var ErrOtherTopic = errors.New("not the topic that this link has been running on")

// pin names the topic that a link runs on. Commits carry it as their metadata:
//
//	topic=<id, 32 hex digits> partitions=<count>
type pin struct {
	id         [16]byte
	partitions int
}

func (p pin) String() string { return fmt.Sprintf("topic=%x partitions=%d", p.id, p.partitions) }

// identify gives the pin of a topic as it is now.
func identify(ctx context.Context, c *kafka.Cluster, topic string) (pin, error) {
	id, partitions, err := c.Identity(ctx, topic)
	return pin{id, partitions}, err
}

// verify gives an error that wraps ErrOtherTopic if the topic is not the pinned one now, or if the group's commits were
// made on another. A commit without metadata is a person's reset, which counts.
func (p pin) verify(ctx context.Context, c *kafka.Cluster, group, topic string) error {
	now, err := identify(ctx, c, topic)
	if err != nil {
		return err
	}
	if now != p {
		return p.refuse(topic, now.String())
	}
	commits, err := c.Committed(ctx, group, topic)
	if err != nil {
		return err
	}
	for _, m := range commits {
		if m.Metadata != "" && m.Metadata != p.String() {
			return fmt.Errorf("group %s has committed on %s with %s, it is %s now: %w: delete the group to begin anew, or bring the topic back",
				group, topic, m.Metadata, p, ErrOtherTopic)
		}
	}
	return nil
}

func (p pin) refuse(topic, now string) error {
	return fmt.Errorf("%s is %s now, the link began with %s: %w: start the link again", topic, now, p, ErrOtherTopic)
}
