package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// Reject is a record that was put aside.
type Reject struct {
	Topic     string            `json:"topic"` // the rejects topic
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Time      time.Time         `json:"time"`
	Code      string            `json:"code"`
	Message   string            `json:"message"`
	Key       []byte            `json:"key,omitempty"`
	Value     []byte            `json:"value"` // the original bytes
	Facts     map[string]string `json:"facts"` // every header but Kafka Connect's
	State     string            `json:"state"` // StateWaiting, or the Outcome of the redrive that dealt with it

	own []kafka.Header // of the record before it was put aside
}

// Rejects is the journey from a rejects topic to a person.
type Rejects struct {
	Cluster *kafka.Cluster
	Topic   string // whose rejects are meant
	Code    string // only these; "" for all
	Column  string
	File    string    // the end of the file's name
	Since   time.Time // only those put aside then or later; the zero Time: from the first
	Until   time.Time // only those put aside before; the zero Time: to the last
	Waiting bool      // only those that no redrive has dealt with
	Limit   int64     // 0: all
}

// ErrNoReject says that there is no reject at a place.
var ErrNoReject = errors.New("no such reject")

// List gives the rejects there are now, partition by partition in the order in which they came, to see.
func (r *Rejects) List(ctx context.Context, see func(Reject) error) error {
	topic := flow.RejectsTopic(r.Topic)
	if _, _, err := r.Cluster.Identity(ctx, topic); errors.Is(err, kafka.ErrUnknownTopic) {
		_, _, err := r.Cluster.Identity(ctx, r.Topic)
		return err // nothing was ever rejected
	} else if err != nil {
		return err
	}
	states, err := r.states(ctx)
	if err != nil {
		return err
	}
	reading := &Consume{Cluster: r.Cluster, Topic: topic}
	shown := int64(0)
	err = reading.each(ctx, func(record *kafka.Record) error {
		reject := rejectOf(record)
		if reject.State = states.of(reject); !r.wanted(reject) {
			return nil
		}
		if err := see(reject); err != nil {
			return err
		}
		if shown++; shown == r.Limit {
			return errLimit
		}
		return nil
	})
	if errors.Is(err, errLimit) {
		return nil
	}
	return err
}

func (r *Rejects) wanted(reject Reject) bool {
	return (r.Code == "" || r.Code == reject.Code) && (r.Column == "" || r.Column == reject.Facts["column"]) &&
		(r.File == "" || strings.HasSuffix(reject.Facts[headerFile], r.File)) && (!r.Waiting || reject.State == StateWaiting) &&
		!reject.Time.Before(r.Since) && (r.Until.IsZero() || reject.Time.Before(r.Until))
}

// Get gives the reject at a place.
func (r *Rejects) Get(ctx context.Context, partition int32, offset int64) (Reject, error) {
	topic := flow.RejectsTopic(r.Topic)
	missing := fmt.Errorf("%s partition %d offset %d: %w: list them with 'stripeline rejects ls %s'", topic, partition, offset, ErrNoReject, r.Topic)
	starts, ends, err := r.Cluster.Ends(ctx, topic)
	if err != nil {
		return Reject{}, err
	}
	if partition < 0 || int(partition) >= len(ends) || offset < starts[partition] || offset >= ends[partition] {
		return Reject{}, missing
	}
	states, err := r.states(ctx)
	if err != nil {
		return Reject{}, err
	}
	reader, err := r.Cluster.NewReader(kafka.ReaderConfig{Name: "reject", Topic: topic, Offsets: map[int32]int64{partition: offset}})
	if err != nil {
		return Reject{}, err
	}
	defer reader.Close()
	for reader.Position(partition) <= offset {
		records, err := reader.Poll(ctx)
		if err != nil {
			return Reject{}, err
		}
		for _, record := range records {
			if record.Offset == offset {
				reject := rejectOf(record)
				reject.State = states.of(reject)
				return reject, nil
			}
		}
	}
	return Reject{}, missing
}

func rejectOf(record *kafka.Record) Reject {
	reject := Reject{
		Topic: record.Topic, Partition: record.Partition, Offset: record.Offset, Time: record.Timestamp.UTC(),
		Key: slices.Clone(record.Key), Value: slices.Clone(record.Value), Facts: map[string]string{},
	}
	own := ownHeaders(record.Headers)
	for _, h := range record.Headers[:own] {
		reject.own = append(reject.own, kafka.Header{Key: h.Key, Value: slices.Clone(h.Value)})
	}
	for _, h := range record.Headers {
		if !strings.HasPrefix(h.Key, "__connect.") {
			reject.Facts[h.Key] = string(h.Value)
		}
	}
	reject.Code, reject.Message = reject.Facts[flow.HeaderCode], reject.Facts[flow.HeaderMessage]
	return reject
}

// ownHeaders counts the headers that a record had before it was put aside: those before the reason, which begins with code and message.
func ownHeaders(headers []kafka.Header) int {
	for i := len(headers) - 2; i >= 0; i-- {
		if headers[i].Key == flow.HeaderCode && headers[i+1].Key == flow.HeaderMessage {
			return i
		}
	}
	return 0
}

// ParsePlace reads "partition:offset".
func ParsePlace(text string) (partition int32, offset int64, err error) {
	left, right, _ := strings.Cut(text, ":")
	p, errP := strconv.ParseInt(left, 10, 32)
	offset, errO := strconv.ParseInt(right, 10, 64)
	if errP != nil || errO != nil || p < 0 || offset < 0 {
		return 0, 0, fmt.Errorf("%q is no place: write it as PARTITION:OFFSET, as in 0:17", text)
	}
	return int32(p), offset, nil
}
