package reader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"stripeline/schemas"
)

// ErrNoTarget is returned by Local's function for a target that none of its directories is. It is fs.ErrNotExist too.
var ErrNoTarget = fmt.Errorf("no directory of the target is mounted: %w", fs.ErrNotExist)

// Local gives a Source's Shard function that opens shard files in target directories. identify reads a directory's
// target id; a directory that it refuses is asked again at the next shard of an unknown target, so that one may be
// mounted later. A shard file is `<dir>/<first 2 hex digits of block>/<block>-<index>-<incarnation>.shard`.
func Local(identify func(dir string) (schemas.TargetID, error), dirs ...string) func(
	context.Context, schemas.BlockID, schemas.Shard) (ShardFile, error) {
	l := &local{identify: identify, dirs: dirs, known: make(map[schemas.TargetID]string)}
	return l.open
}

type local struct {
	identify func(dir string) (schemas.TargetID, error)
	dirs     []string
	mu       sync.Mutex
	known    map[schemas.TargetID]string
}

func (l *local) open(_ context.Context, block schemas.BlockID, shard schemas.Shard) (ShardFile, error) {
	dir, err := l.directory(shard.Target)
	if err != nil {
		return nil, err
	}
	name := block.String()
	path := filepath.Join(dir, name[:2], fmt.Sprintf("%s-%d-%s.shard", name, shard.Index, shard.Incarnation))
	return os.Open(path)
}

// directory gives the directory of a target.
func (l *local) directory(target schemas.TargetID) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if dir, ok := l.known[target]; ok {
		return dir, nil
	}
	reasons := []error{ErrNoTarget}
	for _, dir := range l.dirs {
		id, err := l.identify(dir)
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		l.known[id] = dir
	}
	if dir, ok := l.known[target]; ok {
		return dir, nil
	}
	return "", fmt.Errorf("find target %s: %w", target, errors.Join(reasons...))
}
