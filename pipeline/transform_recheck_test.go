package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline/flow"
)

func TestTransformChecksAgainWhenTheLatestVersionChanges(t *testing.T) {
	w := newRowWorld(t)
	w.rows(3)
	job, to := w.transform(strings.Replace(rowMap, "10 / (row.id - 3)", "row.id", 1))
	told := make(chan error, 1)
	job.ToEnd, job.Observer, job.Recheck = false, flow.NewObserver(), 5*time.Millisecond
	job.Rechecked = func(err error) { told <- err }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := job.Run(ctx); ended <- err }()
	done := func(n int64) {
		t.Helper()
		if err := job.Observer.Await(ctx, func(l []flow.LinkStatus) bool { return len(l) == 1 && l[0].Counts.Done >= n }); err != nil {
			t.Fatal(err)
		}
	}
	done(3)
	w.registry.add(ValueSubject(to), strings.Replace(outRowSchema, `"source","type":"string"`, `"origin","type":"string"`, 1))
	var findings Findings
	if err := <-told; !errors.As(err, &findings) || !strings.Contains(err.Error(), "source") {
		t.Errorf("told %v", err)
	}
	w.rows(3)
	done(6) // the old plan goes on
	w.registry.add(ValueSubject(to), strings.Replace(outRowSchema, `"type":"double"}`, `"type":"double"},{"name":"extra","type":"string","default":"new"}`, 1))
	if err := <-told; err != nil {
		t.Errorf("told %v", err)
	}
	w.rows(3)
	done(9)
	out, n := w.printed(Consume{Topic: to})
	if n != 9 || strings.Count(out, `"extra":"new"`) != 3 {
		t.Errorf("%d records:\n%s", n, out)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
