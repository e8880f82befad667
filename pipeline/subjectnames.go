package pipeline

import (
	"errors"
	"fmt"
)

// SubjectStrategy is a rule by which subjects are named, as the serializers of everybody's clients know them.
//
//	strategy      name elsewhere             subject of a value        subject of a key
//	topic         TopicNameStrategy          <topic>-value             <topic>-key
//	record        RecordNameStrategy         <full record name>        <full record name>
//	topic-record  TopicRecordNameStrategy    <topic>-<record name>     <topic>-<record name>
type SubjectStrategy string

// The strategies. The zero SubjectStrategy is TopicName.
const (
	TopicName       SubjectStrategy = "topic"
	RecordName      SubjectStrategy = "record"
	TopicRecordName SubjectStrategy = "topic-record"
)

// Errors of a subject that cannot be named.
var (
	ErrStrategy     = errors.New("subject strategy is not known: use topic, record or topic-record")
	ErrNoRecordName = errors.New("the strategy names subjects after the record, and its name is not known")
)

// ByRecord says whether the strategy needs the record's name.
func (s SubjectStrategy) ByRecord() bool { return s == RecordName || s == TopicRecordName }

// ValueSubject is the subject of the values of a topic. record is the full name of their record, "" where it is not known.
func (s SubjectStrategy) ValueSubject(topic, record string) (string, error) {
	return s.subject(topic, "-value", record)
}

// KeySubject is the subject of the keys of a topic. record is the full name of their record, "" where it is not known or they are no records.
func (s SubjectStrategy) KeySubject(topic, record string) (string, error) {
	return s.subject(topic, "-key", record)
}

func (s SubjectStrategy) subject(topic, suffix, record string) (string, error) {
	switch {
	case s == TopicName || s == "":
		return topic + suffix, nil
	case !s.ByRecord():
		return "", fmt.Errorf("%q: %w", string(s), ErrStrategy)
	case record == "":
		return "", ErrNoRecordName
	case s == RecordName:
		return record, nil
	}
	return topic + "-" + record, nil
}

// ValueSubject is the subject of a topic's values by the naming rule that everybody's clients have as their default.
func ValueSubject(topic string) string { return topic + "-value" }

// KeySubject is the subject of a topic's keys by the same rule.
func KeySubject(topic string) string { return topic + "-key" }
