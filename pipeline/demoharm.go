package pipeline

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"stripeline/schemas"
)

// harm removes one target's shards and flips a bit in every shard of another.
func (d *Demo) harm() error {
	if err := os.RemoveAll(d.dev.TargetDir(2)); err != nil {
		return err
	}
	shards, err := filepath.Glob(filepath.Join(d.dev.TargetDir(5), "??", "*.shard"))
	if err != nil || len(shards) == 0 {
		return fmt.Errorf("find shards to harm: %d found: %w", len(shards), err)
	}
	for _, path := range shards {
		if err := flipBit(path); err != nil {
			return err
		}
	}
	return nil
}

func flipBit(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var one [1]byte
	at := info.Size() - schemas.ChunkSize
	if _, err := file.ReadAt(one[:], at); err != nil {
		return err
	}
	one[0] ^= 1
	_, err = file.WriteAt(one[:], at)
	return err
}

// harmful passes on what is written and does harm once, after some bytes.
type harmful struct {
	out   io.Writer
	after int64
	harm  func() error
}

// Write passes b on.
func (h *harmful) Write(b []byte) (int, error) {
	h.after -= int64(len(b))
	if h.after < 0 && h.harm != nil {
		if err := h.harm(); err != nil {
			return 0, err
		}
		h.harm = nil
	}
	return h.out.Write(b)
}
