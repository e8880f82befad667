package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stripeline/pipeline"
)

// fileFlags are those of consume that say which files records go to.
type fileFlags struct {
	dir, codec string
	rollSize   string
	rollRows   int64
	rollTime   time.Duration
	toEnd      bool
}

func (f *fileFlags) declare(set *pflag.FlagSet) {
	set.StringVar(&f.dir, "dir", "", "directory that the records go to as files; it belongs to one group and one topic")
	set.StringVar(&f.codec, "codec", "", "of Avro files: null, deflate, snappy or zstandard (default deflate)")
	set.StringVar(&f.rollSize, "roll-size", "128MiB", "a file is complete at this size (0: no bound)")
	set.Int64Var(&f.rollRows, "roll-rows", 0, "a file is complete with so many records (0: no bound)")
	set.DurationVar(&f.rollTime, "roll-time", 10*time.Minute, "a file is complete after this time (0: no bound)")
	set.BoolVar(&f.toEnd, "to-end", false, "with --dir: stop when everything is in files that was there at the start")
}

// journey checks the flags that go with files.
func (a *app) fileJourney(cmd *cobra.Command, f *consumeFlags) (*pipeline.ConsumeFiles, error) {
	if f.files.dir == "" {
		return nil, usagef("-o avro writes files: name their directory with --dir")
	}
	for _, flag := range []string{"from", "reset", "follow", "limit"} {
		if cmd.Flags().Changed(flag) {
			return nil, usagef("--%s does not go with --dir: the files and the group's commit say where to go on", flag)
		}
	}
	if !cmd.Flags().Changed("output") {
		f.format = "avro"
	}
	format, err := pipeline.FileFormat(f.format, f.files.codec)
	if err != nil {
		return nil, usagef("%w", err)
	}
	keys, err := f.keyFormat(cmd)
	if err != nil {
		return nil, err
	}
	size, err := parseSize(f.files.rollSize)
	if err != nil || f.files.rollRows < 0 || f.files.rollTime < 0 {
		return nil, usagef("--roll-size is %q, --roll-rows %d, --roll-time %s: give sizes such as 128MiB and nothing below 0", f.files.rollSize, f.files.rollRows, f.files.rollTime)
	}
	return &pipeline.ConsumeFiles{
		Topic: f.topic, Group: f.group, Dir: f.files.dir, Format: format, Codec: f.files.codec, Print: f.print, Keys: keys, ToEnd: f.files.toEnd,
		Roll: pipeline.FileRoll{Size: size, Rows: f.files.rollRows, Age: f.files.rollTime},
	}, nil
}

// consumeFiles writes records to files.
func (a *app) consumeFiles(cmd *cobra.Command, f *consumeFlags) error {
	c, err := a.fileJourney(cmd, f)
	if err != nil {
		return err
	}
	if c.Registry, err = a.subjects(); err != nil {
		return err
	}
	if c.Cluster, err = a.connect(cmd.Context()); err != nil {
		return err
	}
	defer c.Cluster.Close()
	c.Wrote = func(x pipeline.WrittenFile) {
		if !a.settings.Quiet {
			v := map[string]any{"file": x.Path, "partition": x.Partition, "first": x.First, "last": x.Last, "records": x.Rows, "bytes": x.Bytes}
			_ = a.output.emit(v, func(w io.Writer) { fmt.Fprintf(w, "%s: %d records\n", x.Path, x.Rows) })
		}
	}
	s, err := c.Run(cmd.Context())
	if err != nil && s.Files == 0 {
		return a.missingTopic(err, f.topic)
	}
	_ = a.output.emit(s, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d records in %d files, %d rejects in %.1f s\n", s.Group, s.Records, s.Files, s.Rejects, s.Took.Seconds())
	})
	if err == nil && s.Rejects > 0 {
		return rejected(s.Rejects, pipeline.RejectsTopic(f.topic), f.topic)
	}
	return err
}
