package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hamba/avro/v2/ocf"
	"golang.org/x/sys/unix"

	"stripeline/consumers/durable"
	"stripeline/consumers/rowfile"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

func (w *rowWorld) toFiles(dir string) *ConsumeFiles {
	return &ConsumeFiles{Cluster: w.cluster, Registry: w.registry, Topic: w.topic, Dir: dir, Format: rowfile.Avro, ToEnd: true}
}

// filed reads every complete file with an independent reader, checks that a name says what is inside, and gives how often each id was found.
func filed(t *testing.T, dir string) (ids map[int64]int, files int) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	ids = map[int64]int{}
	for _, e := range names {
		span, ok := rowfile.ParseName(e.Name())
		if !ok {
			if !strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s is in the directory", e.Name())
			}
			continue
		}
		files++
		n := int64(0)
		eachAvro(t, filepath.Join(dir, e.Name()), func(id int64) { ids[id]++; n++ })
		if n == 0 || n > span.Last-span.First+1 {
			t.Errorf("%s holds %d records", e.Name(), n)
		}
	}
	return ids, files
}

func eachAvro(t *testing.T, name string, see func(id int64)) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := ocf.NewDecoder(file)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for r.HasNext() {
		var row struct {
			ID int64 `avro:"id"`
		}
		if err := r.Decode(&row); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		see(row.ID)
	}
	if r.Error() != nil {
		t.Errorf("%s: %v", name, r.Error())
	}
}

func each1(t *testing.T, ids map[int64]int, n int) {
	t.Helper()
	for id := range n {
		if ids[int64(id)] != 1 {
			t.Errorf("row %d is there %d times", id, ids[int64(id)])
		}
	}
	if len(ids) != n {
		t.Errorf("%d rows, want %d", len(ids), n)
	}
}

func TestFilesHoldEachRecordOnceAndAreRolledByRows(t *testing.T) {
	w := newRowWorld(t)
	w.rows(100)
	dir := filepath.Join(t.TempDir(), "out")
	c := w.toFiles(dir)
	c.Roll.Rows = 7
	s, err := c.Run(t.Context())
	if err != nil || s.Records != 100 || s.Files < 100/7 {
		t.Fatalf("%+v %v", s, err)
	}
	ids, files := filed(t, dir)
	each1(t, ids, 100)
	if int64(files) != s.Files {
		t.Errorf("%d files, %d were told", files, s.Files)
	}
	if s, err = w.toFiles(dir).Run(t.Context()); err != nil || s.Records != 0 || s.Files != 0 {
		t.Errorf("a second run did %+v %v", s, err)
	}
	other := w.toFiles(dir)
	other.Group = "another"
	if _, err := other.Run(t.Context()); !errors.Is(err, ErrOtherOwner) {
		t.Errorf("another group in the directory: %v", err)
	}
}

func TestFilesAreTheTruthNotTheCommit(t *testing.T) {
	w := newRowWorld(t)
	w.rows(50)
	dir := t.TempDir()
	c := w.toFiles(dir)
	if _, err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.DeleteGroup(t.Context(), c.Group); err != nil { // as if killed between a file's final name and the commit
		t.Fatal(err)
	}
	if s, err := w.toFiles(dir).Run(t.Context()); err != nil || s.Records != 0 {
		t.Errorf("%+v %v", s, err)
	}
	ids, _ := filed(t, dir)
	each1(t, ids, 50)
}

// Every change to the disk goes wrong once, in turn: what was half-written is never seen under a final name, and the run goes on by itself.
func TestADiskFaultAtAnyChangeLosesAndDoublesNothing(t *testing.T) {
	w := newRowWorld(t)
	w.rows(20)
	for n := int64(1); ; n++ {
		var changes atomic.Int64
		fault := &durable.Disk{Before: func(op durable.Op) error {
			switch {
			case changes.Add(1) != n:
				return nil
			case op.Kind == durable.OpWrite:
				return &durable.Short{Written: op.Length / 2, Err: unix.ENOSPC}
			}
			return unix.ENOSPC
		}}
		dir := t.TempDir()
		c := w.toFiles(dir)
		c.Group, c.Disk, c.Roll.Rows = w.cluster.Name(fmt.Sprint(n)), fault, 15
		if _, err := c.Run(t.Context()); err != nil && n > 8 {
			t.Fatalf("fault at change %d: %v", n, err)
		} else if err != nil { // the marker could not be written: nothing was begun
			continue
		}
		ids, _ := filed(t, dir)
		each1(t, ids, 20)
		if changes.Load() < n {
			return
		}
	}
}

func TestWhatNoFileCanHoldIsARejectAndOtherFormatsFollow(t *testing.T) {
	w := newRowWorld(t)
	w.rows(5)
	producer, err := w.cluster.NewProducer(kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for _, value := range []string{"plain", "\x00\x00\x00\x00\x01\x02", "\x00\x00\x00\x00\x63\x02"} {
		if err := producer.ProduceSync(t.Context(), &kafka.Record{Topic: w.topic, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.toFiles(t.TempDir()).Run(t.Context())
	if err != nil || s.Records != 5 || s.Rejects != 3 {
		t.Fatalf("%+v %v", s, err)
	}
	for _, x := range w.rejects() {
		if x.Code == "" || x.Facts[flow.HeaderTopic] != w.topic {
			t.Errorf("%+v", x)
		}
	}
}

func TestFilesOfLinesForOtherFormats(t *testing.T) {
	for _, format := range []rowfile.Format{rowfile.JSON, rowfile.CSV} {
		w := newRowWorld(t)
		w.rows(9)
		dir := t.TempDir()
		c := w.toFiles(dir)
		c.Format = format
		if s, err := c.Run(t.Context()); err != nil || s.Records != 9 {
			t.Fatalf("%s: %+v %v", format, s, err)
		}
		var all strings.Builder
		names, _ := filepath.Glob(filepath.Join(dir, "*."+string(format)))
		for _, name := range names {
			text, _ := os.ReadFile(name)
			all.Write(text)
		}
		for id := range 9 {
			if strings.Count(all.String(), fmt.Sprintf("n%d", id)) != 1 {
				t.Errorf("%s: row %d in\n%s", format, id, &all)
			}
		}
	}
}

func TestInterruptedFilesAreCompletedAndMembersShareADirectory(t *testing.T) {
	w := newRowWorld(t)
	dir := t.TempDir()
	var written atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 2)
	for range 2 {
		c := w.toFiles(dir)
		c.ToEnd, c.Roll.Rows = false, 3
		c.Wrote = func(f WrittenFile) {
			if written.Add(f.Rows) >= 20 {
				cancel()
			}
		}
		go func() { _, err := c.Run(ctx); ended <- err }()
	}
	w.rows(30)
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	if _, err := w.toFiles(dir).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids, _ := filed(t, dir)
	each1(t, ids, 30)
}
