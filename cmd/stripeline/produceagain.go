package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"stripeline/pipeline"
	"stripeline/pipeline/kafka"
	runs "stripeline/schemas/progress"
)

// recordFlags say how the progress of a run is recorded.
type recordFlags struct {
	name                       string
	restart, exact, unrecorded bool
}

func (f *recordFlags) declare(set *pflag.FlagSet) {
	set.StringVar(&f.name, "run", "", "name of this run, by which it is resumed (default: the beginning of the file's content)")
	set.BoolVar(&f.restart, "restart", false, "begin anew what an earlier run has sent, or was sending")
	set.BoolVar(&f.exact, "exactly-once", false, "send rows, rejects and progress in transactions: a run that is killed and started again leaves each row once")
	set.BoolVar(&f.unrecorded, "no-resume", false, "record no progress: each run sends everything")
}

func (f *recordFlags) check() error {
	if f.unrecorded && (f.name != "" || f.restart || f.exact) {
		return usagef("--no-resume records no progress, which --run, --restart and --exactly-once need: leave it out")
	}
	return nil
}

// recording opens the record of runs that the flags ask for.
func (a *app) recording(ctx context.Context, cluster *kafka.Cluster, f recordFlags) (pipeline.Recording, error) {
	if f.unrecorded {
		return pipeline.Recording{}, nil
	}
	registry, err := a.registry()
	if err != nil {
		return pipeline.Recording{}, err
	}
	log, err := pipeline.OpenRunLog(ctx, cluster, registry)
	return pipeline.Recording{Log: log, Name: f.name, Restart: f.restart, ExactlyOnce: f.exact}, err
}

func earlierRejects(s pipeline.RowSummary) (n int64) {
	for _, e := range s.Earlier {
		n += e.Rejects
	}
	return n
}

func earlierLine(e pipeline.EarlierRun) string {
	if e.Done {
		return fmt.Sprintf("%s: finished before, at %s: %d rows, %d of them rejects, and nothing new (--restart sends it again)",
			e.File, e.Time.Format(time.RFC3339), e.Rows, e.Rejects)
	}
	return fmt.Sprintf("%s: gone on behind row %d of an earlier run", e.File, e.Rows)
}

// printRuns adds the runs of rows to a status; none where nothing was recorded.
func printRuns(w *tables, all []runs.Run) {
	if len(all) == 0 {
		return
	}
	w.heading("RUN\tTOPIC\tSTATE\tROWS\tREJECTS\tBYTES\tLAST HEARD OF\tREASON")
	for _, r := range all {
		name := r.File
		if r.Name != "" {
			name = r.Name
		}
		heard := time.Since(time.UnixMilli(r.Time)).Round(time.Second)
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s ago\t%s\n", name, r.Topic, r.State, r.Row, r.Rejects, size(r.Offset), heard, r.Reason)
	}
}
