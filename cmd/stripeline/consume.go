package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// consumeFlags are the flags of consume.
type consumeFlags struct {
	topic, group, from, format string
	keys                       string
	follow, reset              bool
	limit                      int64
	print                      pipeline.PrintOptions
	files                      fileFlags
}

// consumeVerb prints records.
func consumeVerb(a *app) *cobra.Command {
	f := &consumeFlags{}
	cmd := &cobra.Command{
		Use: "consume", Short: "Print the records of a topic", Args: cobra.NoArgs,
		Long: `Print the records of a topic, decoded by the schema id in each. Without --group from the beginning to the end seen at the start, then
stop; --follow goes on. With --group from the group's commit (at first from the beginning), for ever; what was printed is committed.
-n stops both.

With --dir records go to files there: Avro container files, JSON lines or CSV, complete at --roll-size, --roll-rows or --roll-time. A file is named
after topic, partition, first and last offset; each record is in exactly one, whatever is killed. --to-end stops when everything is in files.`,
		Example: examples("consume --topic flights -n 5", "consume --topic flights -o csv > flights.csv",
			"consume --topic flights --group audit --from 2026-01-01T00:00:00Z", "consume --topic flights --from end --follow -o json --meta",
			"consume --topic flights -o avro --dir out --roll-rows 100000 --to-end"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.consume(cmd, f) },
	}
	set := cmd.Flags()
	set.StringVarP(&f.topic, "topic", "t", "", "topic to read")
	set.StringVarP(&f.group, "group", "g", "", "consumer group to read in")
	set.StringVar(&f.from, "from", "", "beginning, end, an offset, a time (RFC 3339 or a date), or how long ago (2h)")
	set.BoolVar(&f.reset, "reset", false, "begin at --from although the group has a commit")
	set.BoolVarP(&f.follow, "follow", "f", false, "go on at the end")
	set.Int64VarP(&f.limit, "limit", "n", 0, "stop after so many records (0: no limit)")
	set.StringVarP(&f.format, "output", "o", "table", "table, json, csv or raw; with --dir avro, json or csv")
	set.BoolVar(&f.print.Meta, "meta", false, "partition, offset, timestamp and key too")
	set.StringVar(&f.keys, "key-format", "auto", "with --meta: auto (Avro where a key carries a registered schema id, else text), avro or plain")
	set.StringVar(&f.print.Null, "null", "", "csv: what null is written as")
	set.BoolVar(&f.print.EscapeFormulas, "escape-formulas", false, "csv: put a ' before cells that a spreadsheet would run")
	f.files.declare(set)
	return cmd
}

func (a *app) consume(cmd *cobra.Command, f *consumeFlags) error {
	if f.topic == "" {
		return usagef("consume needs a topic: say --topic")
	}
	if f.files.dir != "" || f.format == "avro" {
		return a.consumeFiles(cmd, f)
	}
	place, err := parsePlace(f.from, time.Now())
	if err != nil {
		return err
	}
	keys, err := f.keyFormat(cmd)
	if err != nil {
		return err
	}
	if f.reset && (f.from == "" || f.group == "") {
		return usagef("--reset goes with --group and --from: say where the group shall begin")
	}
	if f.limit < 0 {
		return usagef("-n is %d: give a number of records", f.limit)
	}
	if a.settings.JSON && !cmd.Flags().Changed("output") {
		f.format = "json"
	}
	f.print.Format, err = pipeline.PrintFormat(f.format)
	if err != nil {
		return usagef("%w", err)
	}
	c := &pipeline.Consume{
		Topic: f.topic, Group: f.group, From: place, Reset: f.reset, Follow: f.follow, Limit: f.limit, Print: f.print, Keys: keys, Out: a.io.out,
	}
	if c.Registry, err = a.subjects(); err != nil {
		return err
	}
	if c.Cluster, err = a.connect(cmd.Context()); err != nil {
		return err
	}
	defer c.Cluster.Close()
	_, err = c.Run(cmd.Context())
	return a.missingTopic(err, f.topic)
}

// keyFormat reads --key-format.
func (f *consumeFlags) keyFormat(cmd *cobra.Command) (pipeline.KeyFormat, error) {
	switch k := pipeline.KeyFormat(f.keys); {
	case k != pipeline.KeyAuto && k != pipeline.KeyPlain && k != pipeline.KeyAvro:
		return k, usagef("--key-format is %q: use auto, avro or plain", f.keys)
	case cmd.Flags().Changed("key-format") && !f.print.Meta:
		return k, usagef("--key-format goes with --meta: without it keys are not shown")
	default:
		return k, nil
	}
}

// parsePlace reads --from.
func parsePlace(text string, now time.Time) (pipeline.Place, error) {
	switch text {
	case "":
		return pipeline.Place{}, nil
	case "beginning", "end":
		return pipeline.Place{Kind: pipeline.PlaceKind(text)}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return pipeline.Place{Kind: pipeline.PlaceOffset, Offset: n}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return pipeline.Place{Kind: pipeline.PlaceTime, Time: at}, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return pipeline.Place{Kind: pipeline.PlaceTime, Time: now.Add(-ago)}, nil
	}
	return pipeline.Place{}, usagef("--from is %q: use beginning, end, an offset, a time such as 2026-01-31T12:00:00Z, or how long ago such as 2h", text)
}
