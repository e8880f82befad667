package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"stripeline/consumers/catalog"
	"stripeline/pipeline/kafka"
	"stripeline/schemas"
)

// FileDetail is everything that the catalog knows of a path.
type FileDetail struct {
	Entry  schemas.Entry   `json:"entry"`
	Blocks []schemas.Block `json:"blocks"` // of the committed content, in order
}

// readFiles reads the files topic, or the partition of one path's volume, up to its stable end.
func (s *Site) readFiles(ctx context.Context, partitions ...int32) (*catalog.Files, error) {
	topic := s.Cluster.Name(schemas.TopicFiles)
	from, err := fromStart(ctx, s.Cluster, topic, partitions...)
	if err != nil {
		return nil, err
	}
	f := &catalogFeed{site: s, files: catalog.NewFiles()}
	defer f.close()
	if err := f.follow(topic, from, f.seeFile); err != nil {
		return nil, err
	}
	return f.files, f.views[0].CatchUp(ctx)
}

// readBlocks reads the partitions of the blocks topic that hold the blocks of an entry's content.
func (s *Site) readBlocks(ctx context.Context, entry schemas.Entry) (*catalog.Blocks, error) {
	topic := s.Cluster.Name(schemas.TopicBlocks)
	info, err := s.Cluster.Identify(ctx, topic)
	if err != nil {
		return nil, err
	}
	wanted := make(map[int32]bool)
	for _, id := range blocksOf(entry) {
		wanted[schemas.Partition(id[:], int32(info.Partitions))] = true
	}
	f := &catalogFeed{site: s, blocks: catalog.NewBlocks()}
	if len(wanted) == 0 {
		return f.blocks, nil
	}
	from, err := fromStart(ctx, s.Cluster, topic, slices.Sorted(maps.Keys(wanted))...)
	if err != nil {
		return nil, err
	}
	defer f.close()
	if err := f.follow(topic, from, f.seeBlock); err != nil {
		return nil, err
	}
	return f.blocks, f.views[0].CatchUp(ctx)
}

// blocksOf lists the blocks of an entry's content in order.
func blocksOf(entry schemas.Entry) []schemas.BlockID {
	var ids []schemas.BlockID
	for _, x := range entry.Extents {
		for n := range uint32(x.Blocks) {
			ids = append(ids, x.Block.File().Block(x.Block.Number()+n))
		}
	}
	return ids
}

// Stat gives the entry of a path as it was when the call began. A path without entry is ErrNoFile.
func (s *Site) Stat(ctx context.Context, path string) (schemas.Entry, error) {
	partition, err := s.volumePartition(ctx, path)
	if err != nil {
		return schemas.Entry{}, err
	}
	files, err := s.readFiles(ctx, partition)
	if err != nil {
		return schemas.Entry{}, err
	}
	entry, ok := files.Lookup(path)
	if !ok {
		return entry, fmt.Errorf("look up %s: %w", path, ErrNoFile)
	}
	return entry, nil
}

// Detail gives the entry of a path and the records of its blocks.
func (s *Site) Detail(ctx context.Context, path string) (FileDetail, error) {
	entry, err := s.Stat(ctx, path)
	if err != nil {
		return FileDetail{}, err
	}
	blocks, err := s.readBlocks(ctx, entry)
	if err != nil {
		return FileDetail{}, err
	}
	detail := FileDetail{Entry: entry}
	for _, id := range blocksOf(entry) {
		if block, ok := blocks.Lookup(id); ok {
			detail.Blocks = append(detail.Blocks, block)
		}
	}
	return detail, nil
}

// List gives the entries whose path begins with prefix, in order of path.
func (s *Site) List(ctx context.Context, prefix string) ([]schemas.Entry, error) {
	files, err := s.readFiles(ctx)
	if err != nil {
		return nil, err
	}
	var entries []schemas.Entry
	for item := range files.List(prefix, "") {
		entries = append(entries, *item.Entry)
	}
	return entries, nil
}

// Remove deletes the content of a path and gives up what is being written there.
func (s *Site) Remove(ctx context.Context, path string) error {
	return s.change(ctx, schemas.Command{Kind: schemas.CommandDelete, Path: path})
}

// Rename gives the content of a path another path in the same volume.
func (s *Site) Rename(ctx context.Context, from, to string) error {
	if err := schemas.CheckPath(to); err != nil {
		return err
	}
	return s.change(ctx, schemas.Command{Kind: schemas.CommandRename, Path: from, To: to})
}

func (s *Site) change(ctx context.Context, command schemas.Command) error {
	if err := schemas.CheckPath(command.Path); err != nil {
		return err
	}
	producer, err := s.Cluster.NewProducer(kafka.ProducerConfig{Name: "commands"})
	if err != nil {
		return err
	}
	defer producer.Close()
	feed, err := s.followCatalog(ctx, command.Path, producer)
	if err != nil {
		return err
	}
	defer feed.close()
	_, err = feed.execute(ctx, &command)
	return err
}
