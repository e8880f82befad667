package pipeline

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/processors/conform"
	"stripeline/schemas"
)

// rejectAgain is the new reject of bytes that still do not fit.
func rejectAgain(x Reject, why *schemas.Rejection, attempt int) *kafka.Record {
	facts := maps.Clone(x.Facts)
	for _, h := range x.own {
		if facts[h.Key] == string(h.Value) {
			delete(facts, h.Key)
		}
	}
	for _, name := range []string{conform.HeaderColumn, conform.HeaderValue, conform.HeaderExpected} {
		delete(facts, name) // of the cell that did not fit then
	}
	facts[flow.HeaderCode], facts[flow.HeaderMessage] = why.Code, why.Message
	facts[headerAttempt], facts[headerTime] = strconv.Itoa(attempt), time.Now().UTC().Format(time.RFC3339Nano)
	for _, h := range why.Headers {
		facts[h.Key] = string(h.Value)
	}
	if facts[headerSubject] == "" {
		delete(facts, headerSubject) // its schema was named by an id alone
	}
	again := &kafka.Record{Topic: x.Topic, Partition: x.Partition, Key: x.Key, Value: x.Value, Headers: slices.Clone(x.own)}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(facts)), func(name string) bool {
		return name == flow.HeaderCode || name == flow.HeaderMessage
	})
	for _, name := range append([]string{flow.HeaderCode, flow.HeaderMessage}, names...) {
		again.Headers = append(again.Headers, kafka.Header{Key: name, Value: []byte(facts[name])})
	}
	again.Headers = append(again.Headers, kafka.Header{Key: "__connect.errors.exception.message", Value: []byte(why.Message)},
		kafka.Header{Key: "__connect.errors.topic", Value: []byte(strings.TrimSuffix(x.Topic, flow.RejectsTopic("")))})
	return again
}
