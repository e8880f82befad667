package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
)

// redriveFlags say how rejects are typed again, beside those of produce csv.
type redriveFlags struct {
	rejectFlags
	mapFile, to string
}

// rejectsRedriveVerb sends rejects through their typing again.
func rejectsRedriveVerb(a *app) *cobra.Command {
	r := &pipeline.Redrive{}
	csv, f := &csvFlags{subjectFlags: subjectFlags{redriven: true}}, &redriveFlags{}
	cmd := &cobra.Command{
		Use: "redrive TOPIC", Short: "Send rejects through the same typing again", Args: cobra.ExactArgs(1),
		Long: `Send the original bytes of rejects through their typing again: after the schema was mended, or with other options. What fits goes to the
topic; what does not is a reject again, with one attempt more. What became of each is a record on <topic>.rejects.state; a reject that has one is
not sent twice, also when this is killed.

Rejects of produce csv say how their rows were read: columns, delimiter, null tokens, key and so on. Flags given here come before that; what is not
given is as it was: rows are typed by the latest version of their subject, Avro keys by the very schema that they had. --key-format avro alone takes
the latest version of <topic>-key instead, with the columns that the key had. Rejects of transform need --map and --to.`,
		Example: examples("rejects redrive flights --dry-run", "rejects redrive flights --null NA --null '' --code type --column dep_delay --since 2h --rate 100",
			"rejects redrive flights --key-format avro --key-subject flights-key --key-version 2",
			"rejects redrive flights --map map.yaml --to flights-out"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.redrive(cmd, r, args[0], csv, f) },
	}
	f.declare(cmd)
	set := cmd.Flags()
	set.BoolVar(&r.DryRun, "dry-run", false, "say what would become of each; write nothing")
	set.Float64Var(&r.Rate, "rate", 0, "at most so many a second (0: no bound)")
	set.IntVar(&r.MaxAttempts, "max-attempts", 3, "leave rejects alone that were tried so often")
	set.StringVar(&f.mapFile, "map", "", "mapping file, for rejects of transform")
	set.StringVar(&f.to, "to", "", "topic that mapped records go to")
	csv.declareSubjects(set)
	set.Lookup("subject").Usage = "registry subject that types the columns (default: the one that typed them)"
	set.Lookup("subject-strategy").Usage = "how subjects are named, where that was not right: topic, record or topic-record"
	set.Lookup("key-format").Usage = "plain, or avro: typed by the key's schema, as values are (default: as it was)"
	csv.declareForm(set)
	set.StringArrayVar(&csv.nulls, "null", nil, "text that means null, may be given again")
	set.StringArrayVar(&csv.columnNulls, "null-in", nil, "COLUMN=TEXT that means null in that column alone, may be given again")
	set.StringVar(&csv.timeFormat, "time-format", "", "format of timestamps (default RFC 3339)")
	set.StringVar(&csv.dateFormat, "date-format", "", "format of dates (default YYYY-MM-DD)")
	set.BoolVar(&csv.trim, "trim", false, "cut spaces around unquoted cells")
	set.StringVar(&csv.extra, "extra", "error", "columns that match no field: error or ignore")
	return cmd
}

func (a *app) redrive(cmd *cobra.Command, r *pipeline.Redrive, topic string, csv *csvFlags, f *redriveFlags) error {
	var err error
	if r.Rejects, err = f.rejects(topic); err != nil {
		return err
	}
	csv.topic = topic
	p, err := csv.journey(nil)
	if err != nil {
		return err
	}
	asItWas(cmd, p)
	if (f.mapFile == "") != (f.to == "") {
		return usagef("--map and --to go together: they are for rejects of transform")
	}
	if r.Rate < 0 || r.MaxAttempts < 1 {
		return usagef("--rate is %g and --max-attempts %d: give a rate of 0 or more and at least one attempt", r.Rate, r.MaxAttempts)
	}
	registry, err := a.registry()
	if err != nil {
		return err
	}
	p.Registry, p.Writer = registry, registry
	if r.Cluster, err = a.connect(cmd.Context()); err != nil {
		return err
	}
	defer r.Cluster.Close()
	p.Cluster = r.Cluster
	if f.mapFile != "" {
		t := &pipeline.Transform{Cluster: r.Cluster, Registry: p.Registry, From: topic, To: f.to, MapName: f.mapFile}
		if t.MapText, err = os.ReadFile(f.mapFile); err != nil {
			return usagef("read mapping file: %w: name it with --map", err)
		}
		r.Link = t.LinkName()
		r.Type, err = t.MapTyping(cmd.Context())
	} else {
		r.Type = p.RowTyping(keysAgain(csv))
	}
	if err != nil {
		return err
	}
	return a.runRedrive(cmd, r)
}

// asItWas leaves to each reject what the defaults of flags would say.
func asItWas(cmd *cobra.Command, p *pipeline.ProduceCSV) {
	if !cmd.Flags().Changed("delimiter") {
		p.CSV.Delimiter = 0
	}
	if !cmd.Flags().Changed("quote") {
		p.CSV.Quote = 0
	}
}

func keysAgain(csv *csvFlags) pipeline.KeysAgain {
	if csv.keyFormat == "plain" {
		return pipeline.KeysPlain
	}
	return pipeline.KeysAsTheyWere
}

func (a *app) runRedrive(cmd *cobra.Command, r *pipeline.Redrive) error {
	s, err := r.Run(cmd.Context(), func(x pipeline.Redriven) error {
		return a.output.emitLater(x, func(w io.Writer) {
			if x.Outcome == pipeline.OutcomeAgain || x.Outcome == pipeline.OutcomeGivenUp {
				fmt.Fprintf(w, "%d:%d %s %s %s\n", x.Partition, x.Offset, x.Outcome, x.Code, x.Message)
			}
		})
	})
	if err != nil {
		return a.missingTopic(err, r.Topic)
	}
	others := ""
	if n := s[pipeline.OutcomeOther]; n > 0 {
		others = fmt.Sprintf(", %d of another origin (%s)", n, originOf(r.Link))
	}
	a.output.line("%d sent, %d rejected again, %d tried too often, %d dealt with before%s",
		s[pipeline.OutcomeSent], s[pipeline.OutcomeAgain], s[pipeline.OutcomeGivenUp], s[pipeline.OutcomeDone], others)
	if left := s[pipeline.OutcomeAgain] + s[pipeline.OutcomeGivenUp]; left > 0 {
		return &exitError{code: exitRejects, err: fmt.Errorf("%d rejects are left: see 'stripeline rejects ls %s'", left, r.Topic)}
	}
	return nil
}

// originOf says which rejects a redrive took, and how the others are taken.
func originOf(link string) string {
	if link == "" {
		return "these were of produce: --map and --to are for those of transform"
	}
	return "these were of " + link + ": leave --map and --to out for those of produce"
}

// rejectsExportVerb prints the original bytes of rejects.
func rejectsExportVerb(a *app) *cobra.Command {
	f := &rejectFlags{}
	cmd := &cobra.Command{
		Use: "export TOPIC", Short: "Print the original bytes of rejects that no redrive has dealt with, a line each; with --json all that is known of them", Args: cobra.ExactArgs(1),
		Example: examples("rejects export flights > bad.csv", "rejects export flights --code type --json > bad.jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.eachReject(cmd, f, args[0], func(x pipeline.Reject) error {
				return a.output.emitLater(x, func(w io.Writer) { fmt.Fprintf(w, "%s\n", x.Value) })
			})
		},
	}
	f.declareAll(cmd)
	return cmd
}
