package embedded

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestAbortedRecordsStayHiddenWhereAFetchIsCut reads partitions that together hold more than a fetch may bring.
func TestAbortedRecordsStayHiddenWhereAFetchIsCut(t *testing.T) {
	const partitions = 4
	b := open(t, Options{Topics: []Topic{{Name: "t", Partitions: partitions}}})
	cl := writer(t, b)
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		value := bytes.Repeat([]byte{'c'}, 300<<10)
		if end == kgo.TryAbort {
			value[0] = 'a'
		}
		for i := range 4 * partitions {
			if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Partition: int32(i % partitions), Value: value}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := cl.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	reader := dial(t, b, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(5<<20), kgo.FetchMaxPartitionBytes(4<<20))
	for n := 0; n < 2*4*partitions; {
		fetches := reader.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			if n++; r.Value[0] == 'a' {
				t.Fatalf("partition %d gives the record at %d, which was aborted", r.Partition, r.Offset)
			}
		}
	}
}
