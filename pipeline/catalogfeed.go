package pipeline

import (
	"context"
	"fmt"
	"time"

	"stripeline/consumers/catalog"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// catalogFeed sends commands about one volume and follows what comes of them, from the ends of the topics as they were
// when it was made: an answer to a later command cannot be missed.
type catalogFeed struct {
	site     *Site
	producer *kafka.Producer
	files    *catalog.Files
	blocks   *catalog.Blocks
	views    []*view
}

// followCatalog follows the volume of a path, and all blocks.
func (s *Site) followCatalog(ctx context.Context, path string, producer *kafka.Producer) (*catalogFeed, error) {
	f := &catalogFeed{site: s, producer: producer, files: catalog.NewFiles(), blocks: catalog.NewBlocks()}
	files := s.Cluster.Name(schemas.TopicFiles)
	partition, err := s.volumePartition(ctx, path)
	if err != nil {
		return nil, err
	}
	from, err := fromEnd(ctx, s.Cluster, files, partition)
	if err == nil {
		err = f.follow(files, from, f.seeFile)
	}
	if err != nil {
		return nil, err
	}
	blocks := s.Cluster.Name(schemas.TopicBlocks)
	if from, err = fromEnd(ctx, s.Cluster, blocks); err == nil {
		err = f.follow(blocks, from, f.seeBlock)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// volumePartition gives the partition of commands and files in which a path's volume lies.
func (s *Site) volumePartition(ctx context.Context, path string) (int32, error) {
	info, err := s.Cluster.Identify(ctx, s.Cluster.Name(schemas.TopicFiles))
	if err != nil {
		return 0, err
	}
	return schemas.Partition(schemas.VolumeKey(path), int32(info.Partitions)), nil
}

func (f *catalogFeed) follow(topic string, from map[int32]int64, put func(*kafka.Record) error) error {
	v, err := openView(f.site.Cluster, topic, from, put)
	if err == nil {
		f.views = append(f.views, v)
	}
	return err
}

func (f *catalogFeed) seeFile(r *kafka.Record) error {
	record, err := fileRecord(f.site.Codecs, r)
	if err != nil {
		f.site.Log.Warn("unreadable file record", "partition", r.Partition, "offset", r.Offset, "error", err)
		return nil
	}
	f.files.Put(r.Key, record)
	return nil
}

func (f *catalogFeed) seeBlock(r *kafka.Record) error {
	record, err := blockRecord(f.site.Codecs, r)
	if err != nil {
		f.site.Log.Warn("unreadable block record", "partition", r.Partition, "offset", r.Offset, "error", err)
		return nil
	}
	f.blocks.Put(r.Key, record)
	return nil
}

// execute sends a command and waits for its answer. One that was refused is ErrRefused, or ErrNoFile, with the reason.
func (f *catalogFeed) execute(ctx context.Context, command *schemas.Command) (schemas.Answer, error) {
	command.ID = schemas.NewCommandID()
	command.Time = time.Now().UnixMilli()
	value, err := f.site.Codecs.Commands.Append(nil, command)
	if err != nil {
		return schemas.Answer{}, err
	}
	record := &kafka.Record{Topic: f.site.Cluster.Name(schemas.TopicCommands), Key: schemas.VolumeKey(command.Path), Value: value}
	if err := f.producer.ProduceSync(ctx, record); err != nil {
		return schemas.Answer{}, fmt.Errorf("send command %s: %w", command.Kind, err)
	}
	answer, err := f.files.AwaitAnswer(ctx, command.ID)
	switch {
	case err != nil:
		return answer, fmt.Errorf("wait for the answer to %s (does a worker run?): %w", command.Kind, err)
	case answer.Code == schemas.AnswerMissing:
		return answer, fmt.Errorf("%w: %s", ErrNoFile, answer.Message)
	case answer.Code != schemas.AnswerOK:
		return answer, fmt.Errorf("%w (%s): %s", ErrRefused, answer.Code, answer.Message)
	}
	return answer, nil
}

// awaitBlock waits until a block's record is as a function says it shall be.
func (f *catalogFeed) awaitBlock(ctx context.Context, id schemas.BlockID, as func(schemas.Block) bool) (schemas.Block, error) {
	block, err := f.blocks.Await(ctx, id, func(b *schemas.Block) bool { return as(*b) })
	if err != nil {
		return block, fmt.Errorf("wait for block %s (does a worker run?): %w", id, err)
	}
	return block, nil
}

// awaitVersion waits until the path's entry has at least the version.
func (f *catalogFeed) awaitVersion(ctx context.Context, path string, version schemas.Generation) error {
	_, err := f.files.AwaitEntry(ctx, path, func(e schemas.Entry, _ bool) bool { return e.Version >= version })
	return err
}

func (f *catalogFeed) close() {
	for _, v := range f.views {
		v.Close()
	}
}
