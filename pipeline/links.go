package pipeline

import (
	"context"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/processors/namespace"
	"stripeline/processors/placement"
	"stripeline/processors/seal"
	"stripeline/processors/verify"
	"stripeline/schemas"
)

// storeBudget is the store link's byte budget: a flush writes at most half of it while the next half fills.
const storeBudget = 96 << 20

// storeLink is packets > verify > erasure > placement > blockstore > acks.
func (w *Worker) storeLink() *flow.SinkLink[schemas.Stripe, schemas.Ack] {
	place := placement.Stage(w.store.Targets)
	return &flow.SinkLink[schemas.Stripe, schemas.Ack]{
		Name:  LinkStore,
		Input: w.site.Cluster.Name(schemas.TopicPackets),
		Stage: func(r *kafka.Record, emit func(schemas.Stripe)) error {
			packet, err := w.site.Codecs.Packets.Decode(r.Value)
			if err != nil {
				return err
			}
			delivery := schemas.Delivery{Packet: packet, Key: r.Key, Partition: r.Partition, Partitions: w.partitions}
			return chain(verify.Stage, chain(w.coder.Stage, place))(delivery, emit)
		},
		Open: func(ctx context.Context, partition int32) (flow.Sink[schemas.Stripe, schemas.Ack], error) {
			return w.store.Sink(ctx, partition)
		},
		Encode: w.site.ackRecord,
		Limits: flow.Limits{Budget: storeBudget, Readers: []string{w.site.Cluster.Name(LinkStore)}},
	}
}

// chain runs one stage on what another emits.
func chain[A, B, C any](first func(A, func(B)) error, second func(B, func(C)) error) func(A, func(C)) error {
	return func(in A, emit func(C)) error {
		var failed error
		err := first(in, func(between B) {
			if failed == nil {
				failed = second(between, emit)
			}
		})
		if err != nil {
			return err
		}
		return failed
	}
}

// sealLink is acks > seal > blocks.
func (w *Worker) sealLink() *flow.FoldLink[schemas.Block, schemas.Ack, schemas.Block] {
	codecs := w.site.Codecs
	input, output := w.site.Cluster.Name(schemas.TopicAcks), w.site.Cluster.Name(schemas.TopicBlocks)
	return &flow.FoldLink[schemas.Block, schemas.Ack, schemas.Block]{
		Name: LinkSeal, Input: input, Output: output,
		Decode: func(r *kafka.Record) (string, schemas.Ack, error) {
			ack, err := codecs.Acks.Decode(r.Value)
			if err == nil {
				err = checkKey(r, ack.Block[:], w.partitions)
			}
			return string(r.Key), ack, err
		},
		Fold: seal.Fold,
		Encode: func(b schemas.Block) (*kafka.Record, error) {
			value, err := codecs.Blocks.Append(nil, &schemas.BlockRecord{Block: &b})
			return &kafka.Record{Topic: output, Key: b.ID[:], Value: value}, err
		},
		Restore: func(r *kafka.Record) (string, func(schemas.Block) schemas.Block, error) {
			record, err := blockRecord(codecs, r)
			if err != nil || record == nil || record.Block == nil {
				return string(r.Key), func(schemas.Block) schemas.Block { return schemas.Block{} }, err
			}
			return string(r.Key), func(schemas.Block) schemas.Block { return *record.Block }, nil
		},
		EncodePosition: func(p schemas.Position) ([]byte, error) {
			return codecs.Blocks.Append(nil, &schemas.BlockRecord{Position: &p})
		},
		DecodePosition: func(b []byte) (schemas.Position, error) {
			return position(codecs.Blocks, b, func(r schemas.BlockRecord) *schemas.Position { return r.Position })
		},
		Limits: flow.Limits{Readers: []string{w.site.Cluster.Name(LinkSeal)}},
	}
}

// namespaceLink is commands > namespace > files, and requests of delete to acks.
func (w *Worker) namespaceLink() *flow.FoldLink[namespace.Volume, namespace.Ordered, namespace.Event] {
	codecs := w.site.Codecs
	input, output := w.site.Cluster.Name(schemas.TopicCommands), w.site.Cluster.Name(schemas.TopicFiles)
	return &flow.FoldLink[namespace.Volume, namespace.Ordered, namespace.Event]{
		Name: LinkNamespace, Input: input, Output: output,
		Decode: func(r *kafka.Record) (string, namespace.Ordered, error) {
			command, err := codecs.Commands.Decode(r.Value)
			if err == nil {
				err = checkKey(r, schemas.VolumeKey(command.Path), w.partitions)
			}
			return string(schemas.VolumeKey(command.Path)), namespace.Ordered{Command: command, Offset: r.Offset, Time: r.Timestamp.UnixMilli()}, err
		},
		Fold:   namespace.Fold,
		Encode: w.site.namespaceRecord,
		Restore: func(r *kafka.Record) (string, func(namespace.Volume) namespace.Volume, error) {
			return restoreVolume(codecs, r)
		},
		EncodePosition: func(p schemas.Position) ([]byte, error) {
			return codecs.Files.Append(nil, &schemas.FileRecord{Position: &p})
		},
		DecodePosition: func(b []byte) (schemas.Position, error) {
			return position(codecs.Files, b, func(r schemas.FileRecord) *schemas.Position { return r.Position })
		},
		Limits: flow.Limits{Readers: []string{w.site.Cluster.Name(LinkNamespace)}},
	}
}
