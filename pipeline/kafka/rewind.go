package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// Rewind makes Poll go on at other offsets of partitions that are ours; what was fetched of them is dropped, what was committed stays. Call it
// between a Poll and its Allow.
func (g *Group) Rewind(offsets map[int32]int64) {
	places := map[int32]kgo.EpochOffset{}
	for p, at := range offsets {
		places[p] = kgo.EpochOffset{Epoch: -1, Offset: at}
	}
	g.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{g.cfg.Topic: places})
}
