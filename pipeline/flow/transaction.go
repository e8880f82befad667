package flow

import "stripeline/pipeline/kafka"

// transaction collects what a fold emits until it is committed.
type transaction struct {
	output    string
	partition int32

	compacted []*kafka.Record // for the output topic, in order of first emission, one per key
	byKey     map[string]int  // place in compacted
	others    []*kafka.Record // for other topics, in order
	rejects   int
}

func newTransaction(output string, partition int32) *transaction {
	return &transaction{output: output, partition: partition, byKey: map[string]int{}}
}

// add takes one emitted record; on the output topic it replaces what its key had.
func (t *transaction) add(r *kafka.Record) {
	if r.Topic == "" {
		r.Topic = t.output
	}
	if r.Topic != t.output {
		t.others = append(t.others, r)
		return
	}
	r.Partition = t.partition
	if at, ok := t.byKey[string(r.Key)]; ok {
		t.compacted[at] = r
		return
	}
	t.byKey[string(r.Key)] = len(t.compacted)
	t.compacted = append(t.compacted, r)
}

func (t *transaction) reject(r *kafka.Record) {
	t.others = append(t.others, r)
	t.rejects++
}

func (t *transaction) emitted() int { return len(t.compacted) + len(t.others) - t.rejects }

// write hands all records on, those of other topics first.
func (t *transaction) write(produce func(*kafka.Record)) {
	for _, r := range t.others {
		produce(r)
	}
	for _, r := range t.compacted {
		produce(r)
	}
}
