package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"stripeline/consumers/durable"
)

// ErrDestination is returned for a destination that cannot be written.
var ErrDestination = errors.New("cannot write the destination")

// SaveAs lets write fill a file, and gives it its name when it is whole and durable: until then it has a temporary name
// beside the destination, and after an error there is nothing of it. What had the name before stays until then. A
// destination that exists and is no regular file, such as a pipe, is written as it is.
func SaveAs(ctx context.Context, destination string, write func(io.Writer) error) error {
	info, err := os.Stat(destination)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%w: %s is a directory: name a file in it", ErrDestination, destination)
	case err == nil && !info.Mode().IsRegular():
		return writeInto(destination, write)
	}
	disk := &durable.Disk{}
	temporary := filepath.Join(filepath.Dir(destination), "."+filepath.Base(destination)+"."+rand.Text()[:8]+".part")
	file, err := disk.Create(temporary)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDestination, err)
	}
	err = write(&endingWriter{ctx, file})
	if err != nil {
		file.Discard()
		return err
	}
	return file.Replace(destination)
}

func writeInto(destination string, write func(io.Writer) error) error {
	file, err := os.OpenFile(destination, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDestination, err)
	}
	defer file.Close()
	return write(file)
}

// endingWriter stops writing when its context ends.
type endingWriter struct {
	ctx  context.Context
	file *durable.File
}

// Write is the file's, or the context's error.
func (w *endingWriter) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.file.Write(b)
}
