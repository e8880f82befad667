package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/pipeline/flow"
	"stripeline/pipeline/kafka"
)

// transformFlags are the flags of transform.
type transformFlags struct {
	mapFile string
	dryRun  bool
	limit   int64
}

// transformVerb maps the records of one topic to another.
func transformVerb(a *app) *cobra.Command {
	t := &pipeline.Transform{}
	f := &transformFlags{}
	cmd := &cobra.Command{
		Use: "transform", Short: "Map the records of one topic and schema to another, as a consumer group", Args: cobra.NoArgs,
		Long: `Map records by a mapping file: for each output field a CEL expression over row, checked against both schemas before the start. A record
that cannot be mapped goes to <topic>.rejects. Runs until it is interrupted, or with --to-end until everything is done that was there.

A mapping file:
  where: row.distance > 100
  key: row.carrier
  fields:
    testout_date: row.date
    delay: 'row.dep_delay == null ? 0.0 : row.dep_delay'
    source: {const: nycflights}`,
		Example: examples("transform --from test --to testout --map map.yaml", "transform --from test --to testout --map map.yaml --dry-run -n 20"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.transform(cmd, t, f) },
	}
	set := cmd.Flags()
	set.StringVar(&t.From, "from", "", "topic to read")
	set.StringVar(&t.To, "to", "", "topic to write")
	set.StringVar(&f.mapFile, "map", "", "mapping file")
	set.StringVar(&t.FromPin.Subject, "from-subject", "", "subject of the input schema (default <from>-value)")
	set.StringVar(&t.ToPin.Subject, "to-subject", "", "subject of the output schema (default <to>-value)")
	set.IntVar(&t.FromPin.Version, "from-version", 0, "version of the input subject (default: the latest)")
	set.IntVar(&t.ToPin.Version, "to-version", 0, "version of the output subject (default: the latest)")
	set.StringVarP(&t.Group, "group", "g", "", "consumer group (default <namespace>.transform.<from>.<to>)")
	set.BoolVar(&t.ToEnd, "to-end", false, "stop when everything is done that was there at the start")
	set.BoolVar(&t.ExactlyOnce, "exactly-once", false, "records, rejects and the group's commit in one Kafka transaction (readers: read committed)")
	set.StringVar(&t.Compression, "compression", "", "none, gzip, snappy, lz4 or zstd")
	declareTimeout(set, &t.Timeout)
	set.BoolVar(&f.dryRun, "dry-run", false, "show what goes in and what comes out; write nothing")
	set.Int64VarP(&f.limit, "limit", "n", 20, "records of a dry run")
	return cmd
}

func (a *app) transform(cmd *cobra.Command, t *pipeline.Transform, f *transformFlags) error {
	for _, need := range []struct{ flag, value string }{{"from", t.From}, {"to", t.To}, {"map", f.mapFile}} {
		if need.value == "" {
			return usagef("transform needs --%s: see 'stripeline transform --help'", need.flag)
		}
	}
	var err error
	if t.MapText, err = os.ReadFile(f.mapFile); err != nil {
		return usagef("read mapping file: %w: name it with --map", err)
	}
	t.MapName = f.mapFile
	if t.Registry, err = a.subjects(); err != nil {
		return err
	}
	a.logger = calm(a.logger)
	if t.Cluster, err = a.connect(cmd.Context()); err != nil {
		return err
	}
	defer t.Cluster.Close()
	if f.dryRun {
		return a.tryTransform(cmd, t, f.limit)
	}
	t.Log = a.transformLog(cmd.Context(), t.Cluster)
	return a.runTransform(cmd, t)
}

// transformLog opens where the transform says how it is doing. It runs without, too: then status does not know of it.
func (a *app) transformLog(ctx context.Context, cluster *kafka.Cluster) *pipeline.TransformLog {
	registry, err := a.registry()
	if err == nil {
		var log *pipeline.TransformLog
		if log, err = pipeline.OpenTransformLog(ctx, cluster, registry); err == nil {
			return log
		}
	}
	a.logger.Warn("status will not know of this transform", "error", err)
	return nil
}

func (a *app) runTransform(cmd *cobra.Command, t *pipeline.Transform) error {
	t.Checked = func(plan *pipeline.TransformPlan) { boundMemory(plan.Tables()) }
	t.Observer = flow.NewObserver()
	name := "transform." + t.From + "." + t.To
	bar := a.progress("transform", 0, func() string {
		c := t.Observer.Link(name).Counts
		return fmt.Sprintf("%d records, %d rejects", c.Done, c.Rejects)
	})
	stop := every(200*time.Millisecond, func() { bar.set(t.Observer.Link(name).Counts.Bytes) })
	s, err := t.Run(cmd.Context())
	stop()
	bar.done()
	if err != nil && s.Records == 0 {
		return err
	}
	if !a.settings.Quiet {
		v := map[string]any{"group": s.Group, "records": s.Records, "emitted": s.Emitted, "rejects": s.Rejects, "seconds": s.Took.Seconds()}
		_ = a.output.emit(v, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %d records done, %d written, %d rejects in %.1f s\n", s.Group, s.Records, s.Emitted, s.Rejects, s.Took.Seconds())
		})
	}
	if err != nil {
		return err
	}
	if s.Rejects > 0 {
		return rejected(s.Rejects, pipeline.RejectsTopic(t.From), t.From)
	}
	return nil
}

func (a *app) tryTransform(cmd *cobra.Command, t *pipeline.Transform, n int64) error {
	rejects := 0
	err := t.Try(cmd.Context(), n, func(x pipeline.Trial) error {
		if x.Code != "" {
			rejects++
		}
		return a.output.emit(x, func(w io.Writer) {
			fmt.Fprintf(w, "%d:%d in  %s\n", x.Partition, x.Offset, x.In)
			switch {
			case x.Code != "":
				fmt.Fprintf(w, "    reject (%s): %s\n", x.Code, x.Message)
			case x.LeftOut:
				fmt.Fprintf(w, "    left out by where\n")
			default:
				fmt.Fprintf(w, "    out %s\n", x.Out)
			}
		})
	})
	if err == nil && rejects > 0 {
		return &exitError{code: exitRejects, err: fmt.Errorf("%d of these records would be rejected: see the reasons above", rejects)}
	}
	return err
}
