package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Places in the head of a batch, and bits of its attributes (KIP-98).
const (
	producerHead  = 53 // up to the producer's epoch
	attrInTxn     = 0x10
	attrIsControl = 0x20
)

// endDangling ends the transactions that a killed broker has left open at the end of a partition: the broker takes them for aborted when it reads its
// log, but writes no marker. Their records are given to no reader, so that without a marker behind them no reader ever sees the stable end reached.
func (b *Broker) endDangling(ctx context.Context) error {
	topics, err := readTopics(b.opts.Dir)
	if err != nil || b.stop != StopCrash {
		return err
	}
	for _, t := range topics {
		for p := range t.Partitions {
			head, err := lastHead(partitionDir(b.opts.Dir, t.Name, p))
			if err != nil {
				return fmt.Errorf("read the last batch of %s-%d: %w", t.Name, p, err)
			}
			if !dangles(head) {
				continue
			}
			if err := b.abort(ctx, t.Name, int32(p), head); err != nil {
				return fmt.Errorf("abort the transaction at the end of %s-%d: %w", t.Name, p, err)
			}
		}
	}
	return nil
}

// dangles says whether a batch is data of a transaction: a batch that ends one is a marker.
func dangles(head []byte) bool {
	return head != nil && binary.BigEndian.Uint16(head[21:])&(attrInTxn|attrIsControl) == attrInTxn
}

// abort writes the marker that the head's producer is owed.
func (b *Broker) abort(ctx context.Context, topic string, partition int32, head []byte) error {
	marker := kmsg.NewWriteTxnMarkersRequestMarker()
	marker.ProducerID = int64(binary.BigEndian.Uint64(head[43:]))
	marker.ProducerEpoch = int16(binary.BigEndian.Uint16(head[51:]))
	marker.Topics = []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: topic, Partitions: []int32{partition}}}
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.Markers = []kmsg.WriteTxnMarkersRequestMarker{marker}
	resp, err := b.own.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		return err
	}
	for _, m := range resp.(*kmsg.WriteTxnMarkersResponse).Markers {
		for _, t := range m.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// lastHead is the head of the last whole batch in dir, nil if there is none.
func lastHead(dir string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+segmentExt))
	if err != nil {
		return nil, err
	}
	var last []byte
	for _, path := range files {
		head, err := lastHeadOf(path)
		if err != nil {
			return nil, err
		}
		if head != nil && (last == nil || binary.BigEndian.Uint64(head) > binary.BigEndian.Uint64(last)) {
			last = head
		}
	}
	return last, nil
}

func lastHeadOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var last []byte
	head := make([]byte, producerHead)
	for pos := int64(0); ; {
		_, err := f.ReadAt(head, pos)
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		pos += 12 + int64(binary.BigEndian.Uint32(head[8:]))
		if pos > info.Size() {
			return last, nil
		}
		last = slices.Clone(head)
	}
}
