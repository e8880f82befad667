package textfile

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Head gives the first n bytes of a file after decompression, all of them when there are fewer, a byte order mark counted. Only a regular file can be
// read twice: for standard input and everything else it gives ErrOnce.
func Head(name string, n int) ([]byte, error) {
	if Once(name) {
		return nil, fmt.Errorf("read head of %s: %w", name, ErrOnce)
	}
	file, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := decompress(file)
	if err != nil {
		return nil, fmt.Errorf("read head of %s: %w", name, err)
	}
	if closer, ok := text.(interface{ Close() }); ok { // zstd's decoder
		defer closer.Close()
	}
	head := make([]byte, n)
	n, err = io.ReadFull(text, head)
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) && n < len(head) {
		err = nil // a compressed file that is cut off is told of by the reading that meets it
	}
	if err != nil {
		return nil, fmt.Errorf("read head of %s: %w", name, err)
	}
	return head[:n], nil
}

// Once says whether a name stands for what can be read only once: standard input, a pipe.
func Once(name string) bool {
	info, err := os.Stat(name)
	return name == "-" || err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// ErrOnce is wrapped by Head for what can be read only once.
var ErrOnce = errors.New("can be read only once")
