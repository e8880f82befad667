package pipeline

import (
	"errors"
	"testing"
)

func TestSubjectNames(t *testing.T) {
	for _, c := range []struct {
		strategy           SubjectStrategy
		record, value, key string
		err                error
	}{
		{"", "com.acme.Flight", "flights-value", "flights-key", nil},
		{TopicName, "", "flights-value", "flights-key", nil},
		{RecordName, "com.acme.Flight", "com.acme.Flight", "com.acme.Flight", nil},
		{TopicRecordName, "com.acme.Flight", "flights-com.acme.Flight", "flights-com.acme.Flight", nil},
		{RecordName, "", "", "", ErrNoRecordName}, {TopicRecordName, "", "", "", ErrNoRecordName}, {"RecordName", "r", "", "", ErrStrategy},
	} {
		value, errV := c.strategy.ValueSubject("flights", c.record)
		key, errK := c.strategy.KeySubject("flights", c.record)
		if value != c.value || key != c.key || !errors.Is(errV, c.err) || !errors.Is(errK, c.err) {
			t.Errorf("%q of %q: %q %v, %q %v; want %q, %q, %v", c.strategy, c.record, value, errV, key, errK, c.value, c.key, c.err)
		}
	}
}
