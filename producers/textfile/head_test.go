package textfile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"stripeline/producers/textfile"
)

func TestHeadIsThatOfTheTextNotOfTheFile(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100)
	var zipped, zst bytes.Buffer
	g := gzip.NewWriter(&zipped)
	_, _ = g.Write(text)
	_ = g.Close()
	z, _ := zstd.NewWriter(&zst)
	_, _ = z.Write(text)
	_ = z.Close()
	for name, content := range map[string][]byte{"plain": text, "gzip": zipped.Bytes(), "zstd": zst.Bytes(), "cut": zipped.Bytes()[:zipped.Len()-4]} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 10, 1000, 5000} {
			head, err := textfile.Head(file, n)
			if err != nil || !bytes.Equal(head, text[:min(n, len(text))]) {
				t.Errorf("%s, %d: %d bytes, %v", name, n, len(head), err)
			}
		}
	}
	if _, err := textfile.Head(filepath.Join(t.TempDir(), "missing"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, name := range []string{"-", os.DevNull} {
		if _, err := textfile.Head(name, 1); !errors.Is(err, textfile.ErrOnce) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
