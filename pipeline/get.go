package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"stripeline/consumers/blockstore"
	"stripeline/consumers/reader"
	"stripeline/processors/erasure"
	"stripeline/schemas"
)

// ErrNoFile is returned for a path that has no committed content.
var ErrNoFile = errors.New("no such file")

// OpenedFile is a committed file, open for reading.
type OpenedFile struct {
	*reader.File
	Entry schemas.Entry
}

// OpenFile opens the committed content of a path, as it was when the call began. damage is told of every shard that did
// not help; it may be nil.
func (s *Site) OpenFile(ctx context.Context, path string, damage func(reader.Damage)) (*OpenedFile, error) {
	entry, err := s.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	if !entry.Committed() {
		return nil, fmt.Errorf("open %s: %w: it is being written", path, ErrNoFile)
	}
	blocks, err := s.readBlocks(ctx, entry)
	if err != nil {
		return nil, err
	}
	targets, err := s.targets(ctx)
	if err != nil {
		return nil, err
	}
	opener := &shardOpener{targets: targets}
	file, err := reader.Open(ctx, reader.Source{
		Block: func(_ context.Context, id schemas.BlockID) (schemas.Block, error) {
			block, ok := blocks.Lookup(id)
			if !ok {
				return block, fmt.Errorf("block %s: %w", id, reader.ErrReplaced)
			}
			return block, nil
		},
		Shard:       opener.open,
		Reconstruct: erasure.New().Reconstruct,
		Options:     reader.Options{Damage: damage},
	}, entry)
	if err != nil {
		return nil, err
	}
	return &OpenedFile{File: file, Entry: entry}, nil
}

// Get writes the committed content of a path to out. Nothing that was not verified is written.
func (s *Site) Get(ctx context.Context, path string, out io.Writer) (schemas.Entry, error) {
	file, err := s.OpenFile(ctx, path, nil)
	if err != nil {
		return schemas.Entry{}, err
	}
	defer file.Close()
	_, err = file.WriteTo(out)
	return file.Entry, err
}

// shardOpener opens shard files in the directories of targets, by path.
type shardOpener struct {
	targets map[schemas.TargetID]schemas.Target
}

func (o *shardOpener) open(_ context.Context, block schemas.BlockID, shard schemas.Shard) (reader.ShardFile, error) {
	target, ok := o.targets[shard.Target]
	if !ok {
		return nil, fmt.Errorf("target %s is not registered: %w", shard.Target, fs.ErrNotExist)
	}
	dir, err := targetDirectory(target)
	if err != nil {
		return nil, err
	}
	file, err := blockstore.OpenShard(dir, block, shard.Index, shard.Incarnation)
	if err != nil {
		return nil, err
	}
	return file.File(), nil
}
