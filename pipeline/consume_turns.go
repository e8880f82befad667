package pipeline

import (
	"context"
	"time"

	"stripeline/pipeline/kafka"
)

const (
	firstFilePause = 100 * time.Millisecond
	lastFilePause  = 5 * time.Second
)

// wait puts a partition aside after a failure at record r. It goes on, where its file began, after a pause.
func (w *fileRun) wait(r *kafka.Record, p *filePart, why error) {
	pause := min(lastFilePause, firstFilePause<<min(p.attempts, 10))
	p.attempts++
	p.resume = time.Now().Add(pause)
	from := r.Offset
	if p.sink != nil {
		from = p.sink.Next()
		_ = p.sink.Close()
		p.sink = nil
	}
	w.group.Pause(r.Partition)
	w.group.Rewind(map[int32]int64{r.Partition: from})
	w.Cluster.Logger().Warn("partition waits", "topic", w.Topic, "partition", r.Partition, "directory", w.Dir, "again", from, "pause", pause, "error", why)
}

// complete completes the files that are due, and lets partitions go on that have waited long enough.
func (w *fileRun) complete(ctx context.Context) {
	now := time.Now()
	for number, p := range w.parts {
		if !p.resume.IsZero() && now.After(p.resume) {
			p.resume = time.Time{}
			w.group.Resume(number)
		}
		if p.sink == nil || !p.sink.Busy() || !p.sink.Due(now) && !(w.ToEnd && w.idle >= idleTicks) {
			continue
		}
		if err := w.flush(ctx, p); err != nil {
			w.wait(&kafka.Record{Partition: number, Offset: p.sink.Next()}, p, err)
		}
	}
}

// commit commits what is in complete files.
func (w *fileRun) commit(ctx context.Context) error {
	marks := map[int32]kafka.Mark{}
	for number, p := range w.parts {
		if p.moved {
			marks[number] = p.mark
		}
	}
	if len(marks) == 0 {
		return nil
	}
	committing, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if err := w.group.Commit(committing, marks); err != nil {
		w.Cluster.Logger().Warn("offsets not committed", "group", w.Group, "error", err)
		return nil // the files are the truth; the next commit says it again
	}
	for number := range marks {
		w.parts[number].moved = false
	}
	return nil
}

// revoked completes the files of partitions, commits and gives them away.
func (w *fileRun) revoked(ctx context.Context, numbers []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range numbers {
		if p := w.parts[n]; p != nil {
			if err := w.flush(ctx, p); err != nil {
				w.Cluster.Logger().Warn("file not completed", "topic", w.Topic, "partition", n, "error", err)
			}
		}
	}
	_ = w.commit(ctx)
	w.forget(numbers)
}

// lost drops partitions that are not ours any more, with what is half-written.
func (w *fileRun) lost(_ context.Context, numbers []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(numbers)
}

func (w *fileRun) forget(numbers []int32) {
	for _, n := range numbers {
		if p := w.parts[n]; p != nil && p.sink != nil {
			if err := p.sink.Close(); err != nil {
				w.Cluster.Logger().Warn("partition not closed", "topic", w.Topic, "partition", n, "error", err)
			}
		}
		w.group.Resume(n)
		delete(w.parts, n)
	}
}

// drop forgets whatever is left when the group has been left.
func (w *fileRun) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range w.parts {
		w.forget([]int32{n})
	}
}
