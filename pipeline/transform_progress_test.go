package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
	"stripeline/schemas/progress"
)

// transforms waits until the only transform that is known is as wanted.
func (w *rowWorld) transforms(wanted func(TransformStatus) bool) TransformStatus {
	w.t.Helper()
	for {
		all, err := ReadTransforms(w.t.Context(), w.cluster)
		if err != nil {
			w.t.Fatalf("%v, the last is %+v", err, all)
		}
		if len(all) == 1 && wanted(all[0]) {
			return all[0]
		}
	}
}

func TestStatusShowsTransforms(t *testing.T) {
	w := newRowWorld(t)
	if all, err := ReadTransforms(t.Context(), w.cluster); err != nil || len(all) > 0 {
		t.Fatalf("%+v %v", all, err)
	}
	log, err := OpenTransformLog(t.Context(), w.cluster, w.registry)
	if err != nil {
		t.Fatal(err)
	}
	runLog, err := OpenRunLog(t.Context(), w.cluster, w.registry)
	if err != nil {
		t.Fatal(err)
	}
	p := w.csv(w.file("id,name,amount\n0,a,1\n1,b,1\n2,c,1\n3,d,1\n4,e,1\n5,f,1\n"))
	p.Recording = Recording{Log: runLog, ExactlyOnce: true} // the topic ends with markers of transactions, which are no lag
	if s, err := p.Run(t.Context()); err != nil || s.Acked != 6 {
		t.Fatalf("%+v %v", s, err)
	}
	job, to := w.transform(rowMap)
	job.Log, job.ToEnd, job.Observer, job.Recheck = log, false, flow.NewObserver(), 5*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := job.Run(ctx); ended <- err }()
	got := w.transforms(func(s TransformStatus) bool { return s.Members == 1 && s.Lag == 0 && s.Rejects == 1 })
	if got.State != progress.Running || got.From != w.topic || got.To != to || got.FromVersion != 1 || got.ToVersion != 1 || got.Unfit != "" || got.GroupState == "" {
		t.Errorf("while it runs: %+v", got)
	}
	w.registry.add(ValueSubject(to), strings.Replace(outRowSchema, `"source","type":"string"`, `"origin","type":"string"`, 1))
	got = w.transforms(func(s TransformStatus) bool { return s.Unfit != "" })
	if !strings.Contains(got.Unfit, "source") || got.ToVersion != 1 {
		t.Errorf("with a version that the mapping does not fit: %+v", got)
	}
	w.registry.add(ValueSubject(to), outRowSchema)
	w.transforms(func(s TransformStatus) bool { return s.Unfit == "" && s.ToVersion == 3 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	got = w.transforms(func(s TransformStatus) bool { return s.State == progress.Stopped && s.Members == 0 })
	if got.Reason != interrupted || got.Started > got.Time {
		t.Errorf("when it was interrupted: %+v", got)
	}
	job.ToEnd = true
	if _, err := job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got = w.transforms(func(s TransformStatus) bool { return s.State == progress.Finished }); got.Reason != "" {
		t.Errorf("at its end: %+v", got)
	}
	run, codec := progress.Begin("t", "s", "", nil), progress.NewCodec(1)
	run.State = progress.Running
	value, err := codec.Append(nil, &run)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]progress.Run{}
	runs := &RunLog{cluster: w.cluster, codec: codec}
	for key, want := range map[string]int{got.Key(): 0, run.Key(): 1} {
		clear(known)
		if runs.see(known, &kafka.Record{Key: []byte(key), Value: value}); len(known) != want {
			t.Errorf("under %s there are %d runs, want %d", key, len(known), want)
		}
	}
	if runs, err := ReadRuns(t.Context(), w.cluster); err != nil || len(runs) != 1 {
		t.Errorf("one run, but %+v %v", runs, err)
	}
}
