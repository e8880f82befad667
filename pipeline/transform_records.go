package pipeline

import "stripeline/pipeline/kafka"

// bench is where one goroutine at a time makes records: the memory of many is taken at once.
type bench struct {
	build   []byte         // the value being made, used again
	bytes   []byte         // free memory for values that are done
	records []kafka.Record // free records
}

const (
	benchBytes   = 64 << 10
	benchRecords = 128
)

// record gives a fresh record.
func (b *bench) record() *kafka.Record {
	if len(b.records) == 0 {
		b.records = make([]kafka.Record, benchRecords)
	}
	r := &b.records[0]
	b.records = b.records[1:]
	return r
}

// keep copies a value to memory that is never used again.
func (b *bench) keep(value []byte) []byte {
	if len(value) > benchBytes/8 {
		return append([]byte(nil), value...)
	}
	if len(value) > len(b.bytes) {
		b.bytes = make([]byte, benchBytes)
	}
	kept := b.bytes[:len(value):len(value)]
	b.bytes = b.bytes[len(value):]
	copy(kept, value)
	return kept
}
