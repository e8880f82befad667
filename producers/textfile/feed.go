package textfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	chunkSize   = 256 << 10 // bytes read at once
	defaultPoll = time.Second / 4
)

// feed reads and decompresses in a goroutine of its own, at most two chunks ahead. Its goroutine ends with close, after an error or at the end.
type feed struct {
	full  chan chunk
	empty chan []byte
	stop  chan struct{}
	done  chan struct{}
	file  *os.File // nil for standard input
	used  []byte   // the chunk that next gave last
}

// chunk is what one read gave; err comes alone and last.
type chunk struct {
	data []byte
	err  error
}

func openFeed(name string, o Options) (*feed, error) {
	f := &feed{full: make(chan chunk, 2), empty: make(chan []byte, 2), stop: make(chan struct{}), done: make(chan struct{})}
	f.empty <- make([]byte, chunkSize)
	f.empty <- make([]byte, chunkSize)
	source := o.Stdin
	if name != "-" {
		file, err := openFile(name)
		if err != nil {
			return nil, err
		}
		f.file, source = file, file
	}
	if source == nil {
		source = bytes.NewReader(nil)
	}
	open := func() (io.Reader, error) { return decompress(source) } // in the goroutine, as it reads
	if o.Follow && f.file != nil {
		open = func() (io.Reader, error) { return &follower{file: f.file, stop: f.stop, poll: o.Poll}, nil }
	}
	go f.run(open)
	return f, nil
}

func openFile(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("open %s: is a directory: name its files, or watch it", name)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// run gives chunks until the source ends, then the error that ended it.
func (f *feed) run(open func() (io.Reader, error)) {
	defer close(f.done)
	defer close(f.full)
	reader, err := open()
	for err == nil {
		var buf []byte
		select {
		case buf = <-f.empty:
		case <-f.stop:
			return
		}
		var n int
		n, err = reader.Read(buf[:chunkSize])
		if n == 0 {
			f.empty <- buf
			continue
		}
		if !f.give(chunk{data: buf[:n]}) {
			return
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("compressed file is cut off: %w", err)
	}
	f.give(chunk{err: err})
}

func (f *feed) give(c chunk) bool {
	select {
	case f.full <- c:
		return true
	case <-f.stop:
		return false
	}
}

// next gives the next chunk, which is valid until the next call.
func (f *feed) next(ctx context.Context) ([]byte, error) {
	if f.used != nil {
		f.empty <- f.used[:chunkSize]
		f.used = nil
	}
	select {
	case c, ok := <-f.full:
		if !ok {
			return nil, io.EOF
		}
		f.used = c.data
		return c.data, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ready says that next will not wait.
func (f *feed) ready() bool { return len(f.full) > 0 }

func (f *feed) close() error {
	close(f.stop)
	if f.file == nil {
		return nil // a read of standard input cannot be interrupted
	}
	err := f.file.Close()
	<-f.done
	return err
}

// decompress looks at the first bytes: RFC 1952 gzip (1f 8b), RFC 8878 zstd (28 b5 2f fd), else plain.
func decompress(source io.Reader) (io.Reader, error) {
	head := bufio.NewReaderSize(source, 64<<10)
	magic, err := head.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(head)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	}
	return head, nil
}

// follower waits at the end of a file for more.
type follower struct {
	file *os.File
	stop chan struct{}
	poll time.Duration
	read int64
}

// Read implements io.Reader. It waits for at least one byte; the end comes with stop alone, and a file that shrinks is an error.
func (w *follower) Read(p []byte) (int, error) {
	poll := w.poll
	if poll == 0 {
		poll = defaultPoll
	}
	for {
		n, err := w.file.Read(p)
		w.read += int64(n)
		if n > 0 || err != io.EOF {
			return n, err
		}
		select {
		case <-w.stop:
			return 0, io.EOF
		case <-time.After(poll):
		}
		if info, err := w.file.Stat(); err == nil && info.Size() < w.read {
			return 0, fmt.Errorf("file shrank from %d to %d bytes while it was followed: start again", w.read, info.Size())
		}
	}
}
