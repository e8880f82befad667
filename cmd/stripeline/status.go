package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"stripeline/pipeline"
	"stripeline/pipeline/kafka"
	runs "stripeline/schemas/progress"
)

// statusVerb shows how the links and targets are doing.
func statusVerb(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show lag and rejects of every link, the storage targets, the runs of rows and the transforms", Args: cobra.NoArgs,
		Long:    "Show how far every link is behind its input, how many records it put aside, every target with the age of its heartbeat,\nhow far each recorded run of produce has come, and of every transform its lag and whether its mapping fits the latest versions.",
		Example: examples("status", "status --json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.connected(cmd.Context(), func(cluster *kafka.Cluster, registry pipeline.RegistryClient) error {
				status, err := pipeline.ReadStatus(cmd.Context(), cluster, registry)
				if err != nil {
					return err
				}
				return a.output.emit(factsOfStatus(status), func(w io.Writer) { printStatus(w, status) })
			})
		},
	}
}

// printTransforms adds the transforms to a status; none where none ever ran.
func printTransforms(w *tables, all []pipeline.TransformStatus) {
	if len(all) == 0 {
		return
	}
	w.heading("TRANSFORM\tFROM\tTO\tSTATE\tLAG\tREJECTS\tMEMBERS\tLAST HEARD OF\tMAPPING")
	for _, t := range all {
		heard := time.Since(time.UnixMilli(t.Time)).Round(time.Second)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s ago\t%s\n", t.Group, t.From, t.To, transformState(t), t.Lag, t.Rejects, t.Members, heard, mappingState(t))
	}
}

// transformState is the word for how a transform is doing. Whether one runs is what its group's members say; one that was killed left no last word.
func transformState(t pipeline.TransformStatus) string {
	switch {
	case t.Members > 0:
		return string(runs.Running)
	case t.Trouble != "":
		return "UNKNOWN"
	case t.State == runs.Running:
		return "NOT RUNNING"
	}
	return string(t.State)
}

func mappingState(t pipeline.TransformStatus) string {
	state := fmt.Sprintf("%s: %s v%d -> %s v%d", t.Mapping, t.FromSubject, t.FromVersion, t.ToSubject, t.ToVersion)
	if t.Unfit != "" {
		state += ", old plan goes on: " + strings.Join(strings.Fields(t.Unfit), " ")
	}
	if t.Trouble != "" {
		state += ", " + t.Trouble
	}
	if t.Reason != "" && t.Members == 0 {
		state += ", " + strings.Join(strings.Fields(t.Reason), " ")
	}
	return state
}

func printStatus(out io.Writer, s pipeline.Status) {
	tabs := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	w := &tables{Writer: tabs}
	printBlocks(w, s)
	printRuns(w, s.Runs)
	printTransforms(w, s.Transforms)
	_ = tabs.Flush()
}

// tables are written one below the other, with an empty line between them.
type tables struct {
	io.Writer
	begun bool
}

// heading begins a table.
func (t *tables) heading(columns string) {
	if t.begun {
		fmt.Fprintln(t)
	}
	t.begun = true
	fmt.Fprintln(t, columns)
}

// printBlocks shows the links and targets, nothing where no file was ever put.
func printBlocks(w *tables, s pipeline.Status) {
	if len(s.Links) == 0 {
		return
	}
	w.heading("LINK\tINPUT\tLAG\tREJECTS\tMEMBERS\tGROUP")
	for _, l := range s.Links {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s %s\n", l.Link, l.Input, l.Lag, l.Rejects, l.Members, l.Group, l.State)
	}
	w.heading("TARGET\tSTATE\tHEARTBEAT\tFREE\tRACK\tADDRESS")
	for _, t := range s.Targets {
		fmt.Fprintf(w, "%s\t%s\t%s ago\t%s\t%s\t%s\n", t.ID, t.State, t.Silent.Round(time.Second), size(t.Free), t.Rack, t.Address)
	}
}
