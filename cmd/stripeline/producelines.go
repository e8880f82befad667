package main

import (
	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

func produceLinesVerb(a *app) *cobra.Command {
	p, w := &pipeline.ProduceLines{}, &watchFlags{}
	var acks bool
	var record recordFlags
	cmd := &cobra.Command{
		Use: "lines FILE...|--watch DIR", Short: "Send each line as one record, as it is", Args: w.args,
		Example: examples("produce lines notes.txt --topic notes", "produce lines - --topic notes --key-separator :"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.Topic == "" {
				return usagef("produce lines needs a topic: say --topic")
			}
			p.Files, p.Lines.Stdin = args, a.io.in
			w.apply(a, &p.Production)
			if (record == recordFlags{}) && w.dir == "" {
				record.unrecorded = true // plain lines need no registry, a record of them does
			}
			return a.send(cmd.Context(), sending{&p.Production, acks, record, p.Run})
		},
	}
	set := cmd.Flags()
	set.StringVarP(&p.Topic, "topic", "t", "", "topic to write to")
	set.StringVar(&p.KeySeparator, "key-separator", "", "what is before it becomes the record key")
	set.BoolVar(&p.Sync, "sync", false, "wait for each record before the next")
	set.BoolVar(&acks, "acks", false, "print a line per ack: number, partition, offset, milliseconds")
	set.StringVar(&p.Compression, "compression", "", "none, gzip, snappy, lz4 or zstd")
	set.BoolVar(&p.Lines.Follow, "follow", false, "wait for more at the end of a file")
	record.declare(set)
	w.declare(set)
	set.IntVar(&p.Lines.MaxLine, "max-line", 1<<20, "longest line in bytes")
	return cmd
}
