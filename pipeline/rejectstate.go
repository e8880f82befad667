package pipeline

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// StateWaiting is the state of a reject that no redrive has dealt with.
const StateWaiting = "waiting"

// StateTopic is where it is written what became of a topic's rejects.
func StateTopic(topic string) string { return flow.RejectsTopic(topic) + ".state" }

// rejectState is a record of the state topic. Its key is "<rejects topic>-<partition>-<offset>".
type rejectState struct {
	Redriven
	TopicID string `json:"topic_id,omitempty"` // of the rejects topic, in hexadecimal: offsets of one that was deleted and made again mean others
}

func stateKey(x Reject) string { return fmt.Sprintf("%s-%d-%d", x.Topic, x.Partition, x.Offset) }

func stateRecord(x Reject, now Redriven, topicID string) (*kafka.Record, error) {
	value, err := json.Marshal(rejectState{now, topicID})
	if err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	return &kafka.Record{Topic: x.Topic + ".state", Key: []byte(stateKey(x)), Value: value}, nil
}

// rejectPlace is where a reject is.
type rejectPlace struct {
	partition int32
	offset    int64
}

// rejectStates is what became of the rejects of one topic.
type rejectStates map[rejectPlace]string

func (s rejectStates) of(x Reject) string {
	if outcome, known := s[rejectPlace{x.Partition, x.Offset}]; known {
		return outcome
	}
	return StateWaiting
}

// states reads what became of the rejects; of those of an earlier topic of the same name it knows nothing.
func (r *Rejects) states(ctx context.Context) (rejectStates, error) {
	known := rejectStates{}
	topic := StateTopic(r.Topic)
	if _, _, err := r.Cluster.Identity(ctx, topic); errors.Is(err, kafka.ErrUnknownTopic) {
		return known, nil // nothing was ever redriven
	}
	id, err := r.topicID(ctx)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	reading := &Consume{Cluster: r.Cluster, Topic: topic}
	err = reading.each(ctx, func(record *kafka.Record) error {
		var s rejectState
		if err := json.Unmarshal(record.Value, &s); err != nil {
			r.Cluster.Logger().Warn("unreadable state of a reject", "topic", topic, "offset", record.Offset, "error", err)
		} else if s.TopicID == "" || s.TopicID == id {
			known[rejectPlace{s.Partition, s.Offset}] = outcomeOf(s.Outcome)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", topic, err)
	}
	return known, nil
}

func (r *Rejects) topicID(ctx context.Context) (string, error) {
	id, _, err := r.Cluster.Identity(ctx, flow.RejectsTopic(r.Topic))
	return hex.EncodeToString(id[:]), err
}

// outcomeOf gives the constant of a known outcome, so that a million states do not hold a million texts.
func outcomeOf(text string) string {
	for _, outcome := range []string{OutcomeSent, OutcomeAgain} {
		if text == outcome {
			return outcome
		}
	}
	return text
}
