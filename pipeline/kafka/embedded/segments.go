package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A segment file (<first offset>.dat) is record batches one behind the other. Of a batch only its head is read here:
//
//	bytes  0..7           8..11                 23..26
//	       first offset   bytes behind byte 11  last offset - first offset
const (
	batchHead  = 27
	segmentExt = ".dat"
	indexExt   = ".idx"
)

// endOf is the offset behind the last whole batch in dir, 0 if there is none.
func endOf(dir string) (int64, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+segmentExt))
	if err != nil {
		return 0, err
	}
	var end int64
	for _, f := range files {
		e, err := endOfSegment(f)
		if err != nil {
			return 0, err
		}
		end = max(end, e)
	}
	return end, nil
}

func endOfSegment(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var end, pos int64
	head := make([]byte, batchHead)
	for {
		_, err := f.ReadAt(head, pos)
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		pos += 12 + int64(binary.BigEndian.Uint32(head[8:]))
		if pos > info.Size() {
			return end, nil
		}
		end = int64(binary.BigEndian.Uint64(head)) + int64(int32(binary.BigEndian.Uint32(head[23:]))) + 1
	}
}

// segmentBytes is what all segments below dir have on disk.
func segmentBytes(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(filepath.Join(dir, "partitions"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != segmentExt {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure log: %w", err)
	}
	return sum, nil
}

// emptyBatch is a batch without records that stands at offset: what compaction leaves where it removed all.
func emptyBatch(offset int64) []byte {
	b := kmsg.RecordBatch{FirstOffset: offset, Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1}
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	b.CRC = int32(crc32.Checksum(b.AppendTo(nil)[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}
