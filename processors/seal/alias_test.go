package seal

import (
	"testing"

	"stripeline/schemas"
)

// The codec's strings and byte slices are pieces of the record that they were read from.
func TestNothingOfTheAcksRecordIsKept(t *testing.T) {
	codec := schemas.NewCodecs(func(string) uint32 { return 1 }).Acks
	var s schemas.Block
	for _, line := range []string{"receipt lengths=12288*2,5 shards=0-4 missing=1", "receipt lengths=12288 shard=0/b@other:0-0", "removed shard=3/q@gone:0-1"} {
		ack := parseAck(t, line)
		value, err := codec.Append(nil, &ack)
		if err != nil {
			t.Fatal(err)
		}
		read, err := codec.Decode(value)
		if err != nil {
			t.Fatal(err)
		}
		var emitted schemas.Block
		if s, err = Fold(s, read, func(b schemas.Block) { emitted = b }); err != nil {
			t.Fatal(err)
		}
		before := describeBlock(&s)
		clear(value)
		if after := describeBlock(&s); after != before || describeBlock(&emitted) != before {
			t.Errorf("the record changed with the ack's bytes to\n%s\nfrom\n%s", after, before)
		}
	}
}
