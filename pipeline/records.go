package pipeline

import (
	"bytes"
	"fmt"

	"stripeline/pipeline/kafka"
	"stripeline/processors/namespace"
	"stripeline/schemas"
)

// checkKey rejects a record whose key is not the one that its value asks for, or that lies in another partition.
func checkKey(r *kafka.Record, want []byte, partitions int32) error {
	if !bytes.Equal(r.Key, want) {
		return schemas.Reject("key", fmt.Sprintf("key %x, but the value is about %x", r.Key, want))
	}
	return schemas.CheckPartition(r.Key, r.Partition, partitions)
}

// ackRecord gives the record of an ack.
func (s *Site) ackRecord(a schemas.Ack) (*kafka.Record, error) {
	value, err := s.Codecs.Acks.Append(nil, &a)
	return &kafka.Record{Topic: s.Cluster.Name(schemas.TopicAcks), Key: a.Block[:], Value: value}, err
}

// blockRecord reads a record of the blocks topic; nil is a tombstone.
func blockRecord(codecs *schemas.Codecs, r *kafka.Record) (*schemas.BlockRecord, error) {
	if r.Value == nil {
		return nil, nil
	}
	record, err := codecs.Blocks.Decode(bytes.Clone(r.Value))
	return &record, err
}

// fileRecord reads a record of the files topic; nil is a tombstone.
func fileRecord(codecs *schemas.Codecs, r *kafka.Record) (*schemas.FileRecord, error) {
	if r.Value == nil {
		return nil, nil
	}
	record, err := codecs.Files.Decode(bytes.Clone(r.Value))
	return &record, err
}

// position reads a position record of a compacted topic.
func position[T any](codec *schemas.Codec[T], b []byte, of func(T) *schemas.Position) (schemas.Position, error) {
	record, err := codec.Decode(b)
	if err != nil {
		return schemas.Position{}, err
	}
	if p := of(record); p != nil {
		return *p, nil
	}
	return schemas.Position{}, schemas.Reject("position", "a position's key with a value that is none")
}

// namespaceRecord gives the record of what the namespace emits: of the files topic, or a request on the acks topic.
func (s *Site) namespaceRecord(e namespace.Event) (*kafka.Record, error) {
	if e.Delete != nil {
		return s.ackRecord(*e.Delete)
	}
	record := &kafka.Record{Topic: s.Cluster.Name(schemas.TopicFiles), Key: e.Key}
	if e.Record == nil {
		return record, nil
	}
	value, err := s.Codecs.Files.Append(nil, e.Record)
	record.Value = value
	return record, err
}

// restoreVolume reads a record of the files topic back into its volume.
func restoreVolume(codecs *schemas.Codecs, r *kafka.Record) (string, func(namespace.Volume) namespace.Volume, error) {
	record, err := fileRecord(codecs, r)
	if err != nil {
		return "", nil, err
	}
	if record == nil {
		record = &schemas.FileRecord{}
	}
	volume, ok := namespace.VolumeKey(*record, r.Key)
	if !ok {
		return "", nil, nil
	}
	return string(volume), func(v namespace.Volume) namespace.Volume { return namespace.Restore(v, *record, r.Key) }, nil
}
