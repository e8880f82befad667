package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// rejectsVerb shows records that were put aside.
func rejectsVerb(a *app) *cobra.Command {
	return group("rejects", "Show records that could not be processed, and send them through again", rejectsListVerb(a), rejectsShowVerb(a), rejectsStatsVerb(a),
		rejectsRedriveVerb(a), rejectsExportVerb(a))
}

// rejectFlags say which rejects are meant.
type rejectFlags struct {
	code, column, file string
	since, until       string
	limit              int64
	all                bool
}

func (f *rejectFlags) declare(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&f.code, "code", "", "only rejects with this code")
	set.StringVar(&f.column, "column", "", "only rejects of this column")
	set.StringVar(&f.file, "file", "", "only rejects of files whose name ends so")
	set.StringVar(&f.since, "since", "", "only rejects put aside at this time or later (RFC 3339, a date, or how long ago: 2h)")
	set.StringVar(&f.until, "until", "", "only rejects put aside before this time")
	set.Int64VarP(&f.limit, "limit", "n", 0, "at most so many (0: all)")
}

// declareAll adds --all, for verbs that leave out what was redriven.
func (f *rejectFlags) declareAll(cmd *cobra.Command) {
	f.declare(cmd)
	cmd.Flags().BoolVar(&f.all, "all", false, "also those that a redrive has dealt with")
}

// rejects gives the rejects of a topic that the flags ask for.
func (f *rejectFlags) rejects(topic string) (r pipeline.Rejects, err error) {
	r = pipeline.Rejects{Topic: topic, Code: f.code, Column: f.column, File: f.file, Limit: f.limit, Waiting: !f.all}
	if f.limit < 0 {
		return r, usagef("-n is %d: give a number of rejects", f.limit)
	}
	now := time.Now()
	if r.Since, err = parseMoment("since", f.since, now); err == nil {
		r.Until, err = parseMoment("until", f.until, now)
	}
	return r, err
}

// parseMoment reads a time or how long ago it was; without text it is the zero Time.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	place, err := parsePlace(text, now)
	if err != nil || place.Kind != pipeline.PlaceTime {
		return time.Time{}, usagef("--%s is %q: use a time such as 2026-01-31T12:00:00Z, or how long ago such as 2h", flag, text)
	}
	return place.Time, nil
}

func rejectsListVerb(a *app) *cobra.Command {
	f := &rejectFlags{}
	cmd := &cobra.Command{
		Use: "ls TOPIC", Short: "List the rejects of a topic that no redrive has dealt with", Args: cobra.ExactArgs(1),
		Example: examples("rejects ls flights", "rejects ls flights --code type --column dep_delay -n 10", "rejects ls flights --since 2h --all --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := table{header: []string{"place", "code", "file", "line", "column", "message"}}
			if f.all {
				t.header = slices.Insert(t.header, 1, "state")
			}
			err := a.eachReject(cmd, f, args[0], func(x pipeline.Reject) error {
				if a.settings.JSON {
					return a.output.emitLater(x, nil)
				}
				row := []any{fmt.Sprintf("%d:%d", x.Partition, x.Offset), x.Code, x.Facts["file"], x.Facts["line"], x.Facts["column"], x.Message}
				if f.all {
					row = slices.Insert(row, 1, any(x.State))
				}
				t.add(row...)
				return nil
			})
			if err != nil || a.settings.JSON {
				return err
			}
			return a.output.table(t)
		},
	}
	f.declareAll(cmd)
	return cmd
}

func (a *app) eachReject(cmd *cobra.Command, f *rejectFlags, topic string, see func(pipeline.Reject) error) error {
	r, err := f.rejects(topic)
	if err != nil {
		return err
	}
	if r.Cluster, err = a.connect(cmd.Context()); err != nil {
		return err
	}
	defer r.Cluster.Close()
	return a.missingTopic(r.List(cmd.Context(), see), topic)
}

func rejectsShowVerb(a *app) *cobra.Command {
	f := &rejectFlags{}
	cmd := &cobra.Command{
		Use: "show TOPIC [PARTITION:OFFSET]", Short: "Show one reject, or those that the flags ask for: reason, facts, original bytes",
		Args:    cobra.RangeArgs(1, 2),
		Example: examples("rejects show flights 0:17", "rejects show flights 0:17 --json", "rejects show flights --column dep_delay --since 2h -n 3"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.eachReject(cmd, f, args[0], a.showReject)
			}
			if *f != (rejectFlags{}) {
				return usagef("rejects show takes PARTITION:OFFSET or flags that choose rejects, not both")
			}
			return a.showOne(cmd, args[0], args[1])
		},
	}
	f.declareAll(cmd)
	return cmd
}

func (a *app) showOne(cmd *cobra.Command, topic, place string) error {
	partition, offset, err := pipeline.ParsePlace(place)
	if err != nil {
		return usagef("%w", err)
	}
	cluster, err := a.connect(cmd.Context())
	if err != nil {
		return err
	}
	defer cluster.Close()
	x, err := (&pipeline.Rejects{Cluster: cluster, Topic: topic}).Get(cmd.Context(), partition, offset)
	if err != nil {
		return a.missingTopic(err, topic)
	}
	return a.showReject(x)
}

func (a *app) showReject(x pipeline.Reject) error {
	return a.output.emit(x, func(w io.Writer) {
		fmt.Fprintf(w, "reject: %d:%d\nstate: %s\n", x.Partition, x.Offset, x.State)
		for _, name := range slices.Sorted(maps.Keys(x.Facts)) {
			fmt.Fprintf(w, "%s: %s\n", name, x.Facts[name])
		}
		fmt.Fprintf(w, "\n%s\n", x.Value)
	})
}

func rejectsStatsVerb(a *app) *cobra.Command {
	f := &rejectFlags{}
	cmd := &cobra.Command{
		Use: "stats TOPIC", Short: "Count the rejects of a topic that no redrive has dealt with, by code, column and file", Args: cobra.ExactArgs(1),
		Example: examples("rejects stats flights", "rejects stats flights --since 24h --all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			counts := map[[3]string]int{}
			err := a.eachReject(cmd, f, args[0], func(x pipeline.Reject) error {
				counts[[3]string{x.Code, x.Facts["column"], x.Facts["file"]}]++
				return nil
			})
			if err != nil {
				return err
			}
			t := table{header: []string{"code", "column", "file", "rejects"}}
			keys := slices.SortedFunc(maps.Keys(counts), func(x, y [3]string) int { return slices.Compare(x[:], y[:]) })
			for _, k := range keys {
				t.add(k[0], k[1], k[2], counts[k])
			}
			return a.output.table(t)
		},
	}
	f.declareAll(cmd)
	return cmd
}
